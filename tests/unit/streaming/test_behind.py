import asyncio

import pytest

from tests.support.buffers import fixed, usual
from tests.support.clock import Clock
from tusd_py.config import Streaming
from tusd_py.errors import StorageFull
from tusd_py.streaming import behind
from tusd_py.streaming.behind import WriteBehind
from tusd_py.streaming.budget import CACHED, BufferBudget
from tusd_py.streaming.buffers import SMALL, UNKNOWN, BufferSize
from tusd_py.testing.script import CollectingSink

FULL = bytes(SMALL // 2)


@pytest.fixture
def budget() -> BufferBudget:
    return BufferBudget(64 * 1024 * 1024)


def writing(sink: CollectingSink, budget: BufferBudget) -> WriteBehind:
    return WriteBehind(sink, fixed(len(FULL), budget))


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_among_many_transfers_a_batch_is_written_although_it_could_grow(
    budget: BufferBudget,
) -> None:
    sink = CollectingSink()
    behind = WriteBehind(sink, usual(budget))
    for _ in range(CACHED // len(FULL)):
        budget.begin_transfer()
    await behind.add(FULL)
    await turns()

    assert [len(FULL)] == sink.batches


class TestWriteBehind:
    async def test_small_chunks_are_collected(self, budget: BufferBudget) -> None:
        sink = CollectingSink()
        target = writing(sink, budget)
        for _ in range(10):
            await target.add(b"0123456789")
        await turns()
        before = [*sink.batches]
        await target.drain()

        assert before == []
        assert sink.batches == [100]
        assert bytes(sink.data) == b"0123456789" * 10

    async def test_a_full_batch_is_written_while_the_next_one_fills(
        self, budget: BufferBudget
    ) -> None:
        sink = CollectingSink(gate=asyncio.Event())
        target = writing(sink, budget)
        await target.add(FULL)
        await target.add(b"next")
        before = (sink.offset, budget.used)
        sink.open()
        await target.drain()

        assert before == (0, len(FULL) + 4)
        assert bytes(sink.data) == FULL + b"next"

    async def test_no_third_batch_is_taken_while_two_are_held(self, budget: BufferBudget) -> None:
        sink = CollectingSink(gate=asyncio.Event())
        target = writing(sink, budget)
        await target.add(FULL)
        adding = asyncio.create_task(target.add(FULL * 64))
        await turns()
        waits = not adding.done()
        sink.open()
        await adding
        await target.drain()

        assert waits
        assert sink.offset == len(FULL) * 65

    async def test_a_chunk_of_a_slow_client_does_not_wait_for_a_full_batch(
        self, budget: BufferBudget, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(behind, "LINGER", 0.001)
        written = asyncio.Event()

        class Telling(CollectingSink):
            async def write(self, batch: object) -> None:
                assert isinstance(batch, list)
                await super().write(batch)
                written.set()

        sink = Telling()
        target = writing(sink, budget)
        await target.add(b"slow")
        await asyncio.wait_for(written.wait(), 30)

        assert bytes(sink.data) == b"slow"
        await target.drain()

    async def test_a_large_batch_does_not_wait_as_long_to_be_full(
        self, budget: BufferBudget, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(behind, "LINGER", 3600.0)
        monkeypatch.setattr(behind, "FILL", 0.001)
        sink = CollectingSink()
        target = WriteBehind(sink, usual(budget))
        await target.add(b"large")
        async with asyncio.timeout(30):
            while not sink.data:  # noqa: ASYNC110 - the sink has no event
                await asyncio.sleep(0.001)

        assert bytes(sink.data) == b"large"
        await target.drain()

    async def test_what_was_written_is_measured(self, budget: BufferBudget) -> None:
        clock, sink = Clock(0.0), CollectingSink()
        size = BufferSize(budget, Streaming(), clock=clock)
        target = WriteBehind(sink, size)
        clock.advance(1.0)
        await target.add(b"so slow a second")
        await target.drain()

        assert UNKNOWN // 2 == size.bytes

    async def test_memory_counts_until_it_is_written(self, budget: BufferBudget) -> None:
        sink = CollectingSink(gate=asyncio.Event())
        target = writing(sink, budget)
        await target.add(FULL)
        await target.add(b"12345")
        held = budget.used
        sink.open()
        await target.drain()

        assert (held, budget.used) == (len(FULL) + 5, 0)

    async def test_when_the_budget_is_spent_what_is_held_is_written_first(self) -> None:
        budget, sink = BufferBudget(10), CollectingSink(gate=asyncio.Event())
        target = writing(sink, budget)
        await target.add(b"12345")
        adding = asyncio.create_task(target.add(b"67890"))
        await turns()
        waits = not adding.done()
        sink.open()
        await adding

        assert waits
        assert bytes(sink.data) == b"1234567890"
        assert budget.used == 0

    async def test_many_transfers_exceed_the_budget_by_one_chunk_each_at_most(self) -> None:
        budget, most = BufferBudget(100), 0
        sinks = [CollectingSink(gate=asyncio.Event()) for _ in range(20)]

        async def transfer(sink: CollectingSink) -> None:
            nonlocal most
            target = writing(sink, budget)
            for _ in range(10):
                await target.add(b"0123456789")
                most = max(most, budget.used)
            await target.drain()

        transfers = [asyncio.create_task(transfer(sink)) for sink in sinks]
        await turns()
        for sink in sinks:
            sink.open()
        await asyncio.gather(*transfers)

        assert most <= 100 + 20 * 10
        assert budget.used == 0
        assert [sink.offset for sink in sinks] == [100] * 20

    async def test_what_is_discarded_is_not_written(self, budget: BufferBudget) -> None:
        sink = CollectingSink()
        target = writing(sink, budget)
        await target.add(b"lost")
        target.discard()
        await target.drain()

        assert bytes(sink.data) == b""
        assert budget.used == 0

    @pytest.mark.parametrize("room", [0, 7])
    async def test_a_failure_is_raised_by_the_next_call(
        self, budget: BufferBudget, room: int
    ) -> None:
        sink = CollectingSink(room=room)
        target = writing(sink, budget)
        await target.add(FULL)
        await turns()

        with pytest.raises(StorageFull):
            await target.drain()
        assert budget.used == 0
        assert sink.offset == room

    async def test_nothing_is_written_after_a_failure(self, budget: BufferBudget) -> None:
        sink = CollectingSink(room=7)
        target = writing(sink, budget)
        await target.add(FULL)
        with pytest.raises(StorageFull):
            await target.add(FULL * 64)
        await target.drain()

        assert bytes(sink.data) == FULL[:7]
        assert budget.used == 0

    async def test_a_linger_after_a_failure_writes_nothing(
        self, budget: BufferBudget, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(behind, "LINGER", 0.0)
        sink = CollectingSink(room=7)
        target = writing(sink, budget)
        await target.add(FULL)
        await target.add(b"after")
        await turns()

        with pytest.raises(StorageFull):
            await target.drain()
        assert bytes(sink.data) == FULL[:7]
        assert budget.used == 0

    async def test_who_is_cancelled_on_a_spent_budget_loses_nothing(self) -> None:
        budget, sink = BufferBudget(4), CollectingSink(gate=asyncio.Event())
        target = writing(sink, budget)
        adding = asyncio.create_task(target.add(b"012345"))
        await turns()
        adding.cancel()
        await asyncio.wait((adding,))
        sink.open()
        await target.drain()

        assert bytes(sink.data) == b"012345"
        assert budget.used == 0

    async def test_who_is_cancelled_does_not_cancel_the_write(self, budget: BufferBudget) -> None:
        sink = CollectingSink(gate=asyncio.Event())
        target = writing(sink, budget)
        await target.add(FULL)
        draining = asyncio.create_task(target.drain())
        await turns()
        draining.cancel()
        await asyncio.wait((draining,))
        sink.open()
        await target.drain()

        assert draining.cancelled()
        assert bytes(sink.data) == FULL
