"""What all locks promise."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from tusd_py.errors import LockTimeout
from tusd_py.locks import Locks
from tusd_py.protocol.upload import UploadId

from .holder import LONG, ONE, Holder

TWO = UploadId("two")
SHORT = 0.02

NewHolder = Callable[..., Holder]


async def turns() -> None:
    """Let every task that can run do so a few times."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.anyio
class LocksContract:
    """The promises of ``tusd_py.locks.Locks``. Override ``locks``."""

    @pytest.fixture
    def locks(self) -> Locks:
        """New locks, none of them held, not started."""
        raise NotImplementedError("Override the fixture 'locks'.")

    @pytest.fixture
    async def started(self, locks: Locks) -> AsyncIterator[Locks]:
        """The locks, started, and closed after the test."""
        await locks.start()
        yield locks
        await locks.close()

    @pytest.fixture
    def log(self) -> list[str]:
        """Who had the lease, in order."""
        return []

    @pytest.fixture
    async def new(self, started: Locks, log: list[str]) -> AsyncIterator[NewHolder]:
        """Makes holders, and ends them after the test."""
        holders: list[Holder] = []

        def make(name: str, *, leaves: bool = False) -> Holder:
            holders.append(Holder(started, name, log, leaves=leaves))
            return holders[-1]

        yield make
        tasks = [holder.task for holder in holders if holder.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def test_a_free_lease_is_had_at_once(self, new: NewHolder) -> None:
        holder = new("a")
        holder.start(timeout=0)
        await holder.held.wait()

        assert holder.times_asked == 0

    async def test_a_lease_excludes_others(self, new: NewHolder, log: list[str]) -> None:
        first, second = new("first"), new("second")
        first.start()
        await first.held.wait()
        second.start()
        await first.asked.wait()
        await turns()

        assert log == ["first"]
        await first.leave()
        await second.held.wait()
        assert log == ["first", "second"]

    async def test_a_lease_can_be_had_again(self, new: NewHolder, log: list[str]) -> None:
        for name in ("a", "b", "c"):
            holder = new(name)
            holder.start(timeout=0)
            await holder.held.wait()
            await holder.leave()

        assert log == ["a", "b", "c"]

    async def test_uploads_do_not_affect_each_other(self, new: NewHolder) -> None:
        first, second = new("first"), new("second")
        first.start(ONE)
        await first.held.wait()
        second.start(TWO, timeout=0)
        await second.held.wait()

        assert first.times_asked == 0

    async def test_a_failure_inside_gives_the_lease_back(
        self, started: Locks, new: NewHolder
    ) -> None:
        with pytest.raises(ZeroDivisionError):
            async with started.hold(ONE, timeout=0, on_revoke=lambda: None):
                raise ZeroDivisionError
        holder = new("next")
        holder.start(timeout=0)
        await holder.held.wait()

    async def test_a_holder_that_is_cancelled_gives_the_lease_back(self, new: NewHolder) -> None:
        first, second = new("first"), new("second")
        task = first.start()
        await first.held.wait()
        task.cancel()
        await asyncio.wait((task,))

        second.start(timeout=LONG)
        await second.held.wait()
        assert task.cancelled()

    async def test_a_holder_is_asked_once_however_many_want_the_lease(self, new: NewHolder) -> None:
        first = new("first")
        first.start()
        await first.held.wait()
        for name in ("b", "c", "d"):
            new(name).start()
        await first.asked.wait()
        await turns()

        assert first.times_asked == 1

    async def test_the_first_to_come_is_the_first_served(
        self, new: NewHolder, log: list[str]
    ) -> None:
        first = new("a")
        first.start()
        await first.held.wait()
        others = [new(name, leaves=True) for name in ("b", "c", "d")]
        for other in others:
            other.start()
            await turns()
        last = new("e")
        last.start()
        await turns()
        await first.leave()
        await last.held.wait()

        assert log == ["a", "b", "c", "d", "e"]

    async def test_a_holder_that_does_not_leave_in_time_keeps_the_lease(
        self, new: NewHolder, log: list[str]
    ) -> None:
        first, second = new("first"), new("second")
        first.start()
        await first.held.wait()

        with pytest.raises(LockTimeout) as raised:
            await second.start(timeout=SHORT)

        assert raised.value.upload_id == ONE
        assert first.times_asked == 1
        assert log == ["first"]

    async def test_who_gave_up_is_not_served_later(self, new: NewHolder, log: list[str]) -> None:
        first, second, third = new("first"), new("second"), new("third")
        first.start()
        await first.held.wait()
        with pytest.raises(LockTimeout):
            await second.start(timeout=SHORT)
        third.start()
        await first.leave()
        await third.held.wait()

        assert log == ["first", "third"]

    async def test_no_patience_means_not_to_wait_and_not_to_ask(self, new: NewHolder) -> None:
        first, second = new("first"), new("second")
        first.start()
        await first.held.wait()

        with pytest.raises(LockTimeout):
            await asyncio.wait_for(second.start(timeout=0), LONG)
        await turns()

        assert first.times_asked == 0

    async def test_waiting_without_asking_leaves_the_holder_alone(
        self, new: NewHolder, log: list[str]
    ) -> None:
        first, second = new("first"), new("second")
        first.start()
        await first.held.wait()
        second.start(ask=False)
        await turns()

        assert first.times_asked == 0
        await first.leave()
        await second.held.wait()
        assert log == ["first", "second"]

    async def test_a_waiter_that_is_cancelled_leaves_the_queue(
        self, new: NewHolder, log: list[str]
    ) -> None:
        first, second, third = new("first"), new("second"), new("third")
        first.start()
        await first.held.wait()
        waiting = second.start()
        await first.asked.wait()
        third.start()
        await turns()
        waiting.cancel()
        await asyncio.wait((waiting,))
        await first.leave()
        await third.held.wait()

        assert log == ["first", "third"]

    async def test_a_waiter_that_is_cancelled_in_its_turn_passes_it_on(
        self, new: NewHolder, log: list[str]
    ) -> None:
        first, second, third = new("first"), new("second"), new("third")
        first.start()
        await first.held.wait()
        waiting = second.start()
        third.start()
        await first.asked.wait()
        await turns()
        # The turn comes and is taken away before the waiter can run.
        assert first.task is not None
        first.task.add_done_callback(lambda _: waiting.cancel())
        await first.leave()
        await third.held.wait()

        assert log[-1] == "third"

    async def test_a_new_holder_is_asked_at_once_when_others_wait(self, new: NewHolder) -> None:
        first, second, third = new("first"), new("second"), new("third")
        first.start()
        await first.held.wait()
        second.start()
        third.start()
        await turns()
        await first.leave()
        await second.held.wait()
        await second.asked.wait()

        assert second.times_asked == 1

    async def test_a_new_holder_is_not_asked_for_those_who_do_not_ask(self, new: NewHolder) -> None:
        first, second, third = new("first"), new("second"), new("third")
        first.start()
        await first.held.wait()
        second.start()
        third.start(ask=False)
        await turns()
        await first.leave()
        await second.held.wait()
        await turns()

        assert second.times_asked == 0

    async def test_who_is_alone_leads(self, started: Locks) -> None:
        assert started.leads()
        assert started.leads()

    async def test_who_was_alone_lost_nobody(self, started: Locks) -> None:
        assert not await started.others_died()

    def test_they_work_in_one_event_loop_after_another(self, locks: Locks) -> None:
        async def hold() -> bool:
            await locks.start()
            async with locks.hold(ONE, timeout=0, on_revoke=lambda: None):
                pass
            await locks.close()
            return True

        async def hold_for_ever() -> None:
            await locks.start()
            hold = locks.hold(ONE, timeout=0, on_revoke=lambda: None)
            await hold.__aenter__()

        asyncio.run(hold())
        asyncio.run(hold_for_ever())

        assert asyncio.run(hold())
