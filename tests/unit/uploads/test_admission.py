"""How many transfers may run: the decision, and who is next."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest

from tusd_py.errors import TooManyUploads
from tusd_py.streaming import Interrupt, Stop
from tusd_py.uploads.admission import Admission, Limits

FOR_EVER = 60.0


@pytest.mark.parametrize(
    ("limits", "client", "admitted"),
    [
        (Limits(), "a", True),
        (Limits(total=3), "c", False),
        (Limits(total=4), "c", True),
        (Limits(per_client=2), "a", False),
        (Limits(per_client=2), "b", True),
        (Limits(per_client=3), "a", True),
        (Limits(total=3, per_client=3), "b", False),
    ],
)
def test_one_more_is_admitted_up_to_the_limits(limits: Limits, client: str, admitted: bool) -> None:
    assert admitted == limits.admit(client, {"a": 2, "b": 1}, 3)


def test_clients_without_an_address_share_no_limit() -> None:
    assert Limits(per_client=1).admit(None, {None: 5}, 5)


class Queue:
    """Transfers that begin when it is their turn and end when the test says so."""

    def __init__(self, limits: Limits) -> None:
        self.admission = Admission(limits)
        self.begun: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, client: str = "a", patience: float = FOR_EVER) -> Interrupt:
        interrupt = Interrupt()
        self._ends[name] = asyncio.Event()
        turn = self.admission.in_turn(client, interrupt, patience)
        self._tasks[name] = asyncio.create_task(self._run(name, turn))
        await turns()
        return interrupt

    async def _run(self, name: str, turn: AbstractAsyncContextManager[None]) -> None:
        async with turn:
            self.begun.append(name)
            await self._ends[name].wait()

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
            await self._tasks[name]
        await turns()

    async def result_of(self, name: str) -> None:
        await self._tasks[name]

    async def cancel(self, *names: str) -> None:
        for name in names:
            self._tasks[name].cancel()
        for name in names:
            with pytest.raises(asyncio.CancelledError):
                await self._tasks[name]


async def turns() -> None:
    """Let every task that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_those_who_wait_are_served_in_order() -> None:
    queue = Queue(Limits(total=1))
    for name in ("first", "second", "third"):
        await queue.come(name)
    assert ["first"] == queue.begun

    await queue.end("first")
    assert ["first", "second"] == queue.begun
    await queue.end("second", "third")

    assert ["first", "second", "third"] == queue.begun
    assert 0 == len(queue.admission)


async def test_who_has_had_enough_does_not_hold_up_others() -> None:
    queue = Queue(Limits(total=3, per_client=1))
    await queue.come("a1", "a")
    await queue.come("a2", "a")
    await queue.come("b1", "b")
    assert ["a1", "b1"] == queue.begun

    await queue.end("b1", "a1", "a2")

    assert ["a1", "b1", "a2"] == queue.begun


async def test_who_waits_for_too_long_is_told_to_come_back() -> None:
    queue = Queue(Limits(total=1))
    await queue.come("first")
    await queue.come("second", patience=0)

    with pytest.raises(TooManyUploads):
        await queue.result_of("second")
    await queue.end("first")

    assert 0 == len(queue.admission)


async def test_who_is_asked_to_stop_waits_no_longer() -> None:
    queue = Queue(Limits(total=1))
    await queue.come("first")
    interrupt = await queue.come("second")
    assert ["first"] == queue.begun

    interrupt.set(Stop.REVOKED)
    await turns()
    assert ["first", "second"] == queue.begun
    await queue.end("first", "second")

    assert 0 == len(queue.admission)


async def test_who_is_cancelled_gives_the_place_to_the_next() -> None:
    queue = Queue(Limits(total=1))
    for name in ("first", "second", "third"):
        await queue.come(name)

    await queue.cancel("second")
    await queue.end("first", "third")

    assert ["first", "third"] == queue.begun
    assert 0 == len(queue.admission)


async def test_who_is_cancelled_in_the_moment_of_the_turn_gives_it_on() -> None:
    queue = Queue(Limits(total=1))
    async with AsyncExitStack() as first:
        await first.enter_async_context(queue.admission.in_turn("a", Interrupt(), FOR_EVER))
        await queue.come("second")
        await queue.come("third")
    # The turn of the second has come, and it has not run since.
    await queue.cancel("second")
    await turns()

    assert ["third"] == queue.begun
    await queue.end("third")
    assert 0 == len(queue.admission)


def test_what_is_new_is_refused_at_once() -> None:
    admission = Admission(Limits(total=1))
    admission.enter("a")
    with pytest.raises(TooManyUploads):
        admission.enter("b")
    admission.leave("a")
    admission.enter("b")

    assert 1 == len(admission)
