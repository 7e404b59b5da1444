"""What every body source promises."""

import asyncio
import math
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from random import Random

import pytest

from tusd_py.errors import StorageError, StorageFull
from tusd_py.streaming import BodySource, Interrupt, Stop

from .script import CollectingSink, Data, Disconnect, End, Script, Stall

OpenSource = Callable[..., AbstractAsyncContextManager[BodySource]]
"""Called with a script and perhaps ``idle_timeout``, in seconds; 0 is never."""

LONG = 10.0
SHORT = 0.03
CHUNK = bytes(range(256)) * 256


async def pump(
    source: BodySource,
    sink: CollectingSink,
    *,
    limit: int | None = None,
    due: float = math.inf,
    interrupt: Interrupt | None = None,
) -> Stop:
    """Pump once, but not for ever."""
    pumping = source.pump(sink, limit=limit, due=due, interrupt=interrupt or Interrupt())
    return await asyncio.wait_for(pumping, LONG)


def pausable() -> Interrupt:
    """An interrupt of somebody who may be paused."""
    interrupt = Interrupt()
    interrupt.may_pause = True
    return interrupt


def go_on(stall: Stall) -> None:
    """End a stall."""
    assert stall.until is not None
    stall.until.set()


class PausingSink(CollectingSink):
    """A sink in memory that asks for a pause with everything that it gets."""

    def __init__(self, interrupt: Interrupt) -> None:
        super().__init__()
        self._interrupt = interrupt
        self._loop = asyncio.get_running_loop()

    def store(self, data: bytes) -> None:
        """Take bytes, perhaps in a worker thread."""
        super().store(data)
        self._loop.call_soon_threadsafe(self._interrupt.pause)


@pytest.mark.anyio
class BodySourceContract:
    """The promises of ``tusd_py.streaming.BodySource``. Override ``open_source``."""

    # A source that was told the length of the body waits for nothing after its last byte.
    knows_the_length = False

    @pytest.fixture
    def open_source(self) -> OpenSource:
        """Makes a source from a script of what the network does."""
        raise NotImplementedError("Override the fixture 'open_source'.")

    @pytest.fixture
    def sink(self) -> CollectingSink:
        """Where the bytes go."""
        return CollectingSink()

    @pytest.mark.parametrize(
        "chunks", [[], [b""], [b"all"], [b"a", b"bc", b"", b"def"], [CHUNK] * 40]
    )
    async def test_the_bytes_of_the_body_arrive(
        self, open_source: OpenSource, sink: CollectingSink, chunks: list[bytes]
    ) -> None:
        script: Script = [*map(Data, chunks), End()]
        async with open_source(script) as source:
            stop = await pump(source, sink)

        assert stop is Stop.END
        assert bytes(sink.data) == b"".join(chunks)

    async def test_bodies_of_odd_chunks_arrive(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        random = Random(1)  # noqa: S311 - it has to be the same every time
        body = random.randbytes(2_000_000)
        cuts = sorted(random.sample(range(len(body)), 60))
        chunks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
        async with open_source([*map(Data, chunks), End()]) as source:
            stop = await pump(source, sink)

        assert stop is Stop.END
        assert bytes(sink.data) == body

    @pytest.mark.parametrize("limit", [1, 3, 4, 5])
    async def test_no_more_than_the_limit_is_moved(
        self, open_source: OpenSource, sink: CollectingSink, limit: int
    ) -> None:
        async with open_source([Data(b"012"), Data(b"345"), End()]) as source:
            stop = await pump(source, sink, limit=limit)

            assert stop is Stop.LIMIT
            assert bytes(sink.data) == b"012345"[:limit]

    @pytest.mark.parametrize("limit", [1, 2, 3, 100_000])
    async def test_what_lies_beyond_the_limit_comes_with_the_next_pump(
        self, open_source: OpenSource, sink: CollectingSink, limit: int
    ) -> None:
        stops: list[Stop] = []
        async with open_source([Data(b"0123"), Data(b"45"), Data(b"6"), End()]) as source:
            while not stops or stops[-1] is Stop.LIMIT:
                stops.append(await pump(source, sink, limit=limit))

        assert bytes(sink.data) == b"0123456"
        assert stops == [Stop.LIMIT] * ((7 - 1) // limit) + [Stop.END]

    @pytest.mark.parametrize("limit", [6, 7])
    async def test_a_body_that_fits_the_limit_has_its_end(
        self, open_source: OpenSource, sink: CollectingSink, limit: int
    ) -> None:
        async with open_source([Data(b"012"), Data(b"345"), End()]) as source:
            stop = await pump(source, sink, limit=limit)

        assert stop is Stop.END
        assert bytes(sink.data) == b"012345"

    async def test_without_room_a_body_without_bytes_has_its_end(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        async with open_source([End()]) as source:
            stop = await pump(source, sink, limit=0)

        assert stop is Stop.END

    async def test_without_room_a_byte_is_too_many(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        async with open_source([Data(b"0"), End()]) as source:
            stop = await pump(source, sink, limit=0)

        assert stop is Stop.LIMIT
        assert bytes(sink.data) == b""

    @pytest.mark.parametrize(
        ("after", "expected"), [([Data(b"3"), End()], Stop.LIMIT), ([End()], Stop.END)]
    )
    async def test_at_the_limit_it_waits_to_see_what_comes(
        self, open_source: OpenSource, sink: CollectingSink, after: Script, expected: Stop
    ) -> None:
        stall = Stall(until=asyncio.Event())
        async with open_source([Data(b"012"), stall, *after]) as source:
            pumping = asyncio.create_task(pump(source, sink, limit=3))
            await asyncio.wait_for(stall.reached.wait(), LONG)
            if expected is Stop.END and self.knows_the_length:
                await asyncio.wait((pumping,))
            waited = not pumping.done()
            assert stall.until is not None
            stall.until.set()

            assert await pumping is expected
        assert waited is not (expected is Stop.END and self.knows_the_length)
        assert bytes(sink.data) == b"012"

    async def test_once_it_is_due_it_comes_back_between_two_batches(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        async with open_source([Data(CHUNK), Data(b"1"), Stall()]) as source:
            stop = await pump(source, sink, due=0.0)

        assert stop is Stop.DUE
        assert sink.offset > 0

    async def test_coming_back_loses_nothing(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        stop = Stop.DUE
        async with open_source([*[Data(CHUNK)] * 20, End()]) as source:
            while stop is Stop.DUE:
                stop = await pump(source, sink, due=0.0)

        assert stop is Stop.END
        assert bytes(sink.data) == CHUNK * 20

    async def test_what_came_before_a_cut_is_kept(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        async with open_source([Data(CHUNK), Data(b"last"), Disconnect()]) as source:
            stop = await pump(source, sink)

        assert stop is Stop.CUT
        assert bytes(sink.data) == CHUNK + b"last"

    async def test_a_cut_before_the_first_byte_is_a_cut(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        async with open_source([Disconnect()]) as source:
            stop = await pump(source, sink)

        assert stop is Stop.CUT
        assert bytes(sink.data) == b""

    @pytest.mark.parametrize("chunks", [[], [b"012"], [CHUNK, b"012"]])
    async def test_who_sends_nothing_for_too_long_is_left(
        self, open_source: OpenSource, sink: CollectingSink, chunks: list[bytes]
    ) -> None:
        async with open_source([*map(Data, chunks), Stall()], idle_timeout=SHORT) as source:
            stop = await pump(source, sink)

        assert stop is Stop.IDLE
        assert bytes(sink.data) == b"".join(chunks)

    async def test_a_slow_sink_is_not_the_clients_fault(self, open_source: OpenSource) -> None:
        sink = CollectingSink(gate=asyncio.Event())
        asyncio.get_running_loop().call_later(4 * SHORT, sink.open)
        async with open_source([*[Data(CHUNK)] * 8, End()], idle_timeout=SHORT) as source:
            stop = await pump(source, sink)

        assert stop is Stop.END
        assert bytes(sink.data) == CHUNK * 8

    @pytest.mark.parametrize("reason", [Stop.REVOKED, Stop.SHUTDOWN])
    @pytest.mark.parametrize("chunks", [[b"012"], [CHUNK, b"012"]])
    async def test_who_is_asked_to_leave_takes_along_what_arrived(
        self, open_source: OpenSource, sink: CollectingSink, chunks: list[bytes], reason: Stop
    ) -> None:
        stall, interrupt = Stall(), Interrupt()
        async with open_source([*map(Data, chunks), stall]) as source:
            pumping = asyncio.create_task(pump(source, sink, interrupt=interrupt))
            await asyncio.wait_for(stall.reached.wait(), LONG)
            interrupt.set(reason)

            assert await pumping is reason
        assert bytes(sink.data) == b"".join(chunks)

    @pytest.mark.parametrize("reason", [Stop.REVOKED, Stop.SHUTDOWN])
    async def test_who_was_asked_before_takes_one_batch_along(
        self, open_source: OpenSource, sink: CollectingSink, reason: Stop
    ) -> None:
        interrupt = Interrupt()
        interrupt.set(reason)
        async with open_source([Data(b"012"), Stall()]) as source:
            stop = await pump(source, sink, interrupt=interrupt)

        assert stop is reason
        assert bytes(sink.data) == b"012"

    @pytest.mark.parametrize("reason", [Stop.REVOKED, Stop.SHUTDOWN])
    async def test_who_is_asked_and_gets_no_byte_leaves_without(
        self, open_source: OpenSource, sink: CollectingSink, reason: Stop
    ) -> None:
        stall, interrupt = Stall(), Interrupt()
        async with open_source([stall]) as source:
            pumping = asyncio.create_task(pump(source, sink, interrupt=interrupt))
            await asyncio.wait_for(stall.reached.wait(), LONG)
            interrupt.set(reason)

            assert await pumping is reason
        assert bytes(sink.data) == b""

    @pytest.mark.parametrize("room", [0, 5, 3 * len(CHUNK) - 1])
    async def test_a_failure_of_the_sink_is_raised_and_nothing_is_written_after_it(
        self, open_source: OpenSource, room: int
    ) -> None:
        sink = CollectingSink(room=room)
        async with open_source([*[Data(CHUNK)] * 6, End()]) as source:
            with pytest.raises(StorageFull):
                await pump(source, sink)

        assert bytes(sink.data) == (CHUNK * 6)[:room]

    async def test_a_failure_with_the_last_bytes_is_raised(self, open_source: OpenSource) -> None:
        sink = CollectingSink(room=2)
        async with open_source([Data(b"012"), Disconnect()]) as source:
            with pytest.raises(StorageError):
                await pump(source, sink)

        assert bytes(sink.data) == b"01"

    async def test_who_is_paused_leaves_with_what_arrived_and_goes_on_later(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        stall, interrupt = Stall(until=asyncio.Event()), pausable()
        async with open_source([Data(CHUNK), Data(b"012"), stall, Data(b"345"), End()]) as source:
            pumping = asyncio.create_task(pump(source, sink, interrupt=interrupt))
            await asyncio.wait_for(stall.reached.wait(), LONG)
            interrupt.pause()
            first, kept = await pumping, bytes(sink.data)
            interrupt.resume()
            go_on(stall)
            second = await pump(source, sink, interrupt=interrupt)

        assert (first, second) == (Stop.PAUSED, Stop.END)
        assert kept == CHUNK + b"012"
        assert bytes(sink.data) == CHUNK + b"012345"

    async def test_who_was_paused_before_leaves_and_loses_nothing(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        stall, interrupt = Stall(until=asyncio.Event()), pausable()
        interrupt.pause()
        async with open_source([Data(b"012"), stall, Data(b"345"), End()]) as source:
            stops = [await pump(source, sink, interrupt=interrupt) for _ in range(3)]
            interrupt.resume()
            go_on(stall)
            stops.append(await pump(source, sink, interrupt=interrupt))

        assert stops == [Stop.PAUSED] * 3 + [Stop.END]
        assert bytes(sink.data) == b"012345"

    async def test_pauses_while_bytes_flow_lose_and_double_nothing(
        self, open_source: OpenSource
    ) -> None:
        stops, interrupt = list[Stop](), pausable()
        sink = PausingSink(interrupt)
        pieces = [bytes([number]) * 40_000 for number in range(100)]
        stalls = [Stall(until=asyncio.Event()) for _ in pieces[::10]]
        script: list[Data | Stall | End] = [*map(Data, pieces), End()]
        for number, stall in enumerate(stalls):
            # What is paused takes along all that arrived: this is for more than one pause.
            script.insert(11 * number, stall)
        go_on(stalls[0])
        async with open_source(script) as source:
            while Stop.END not in stops:
                interrupt.resume()
                stops.append(await pump(source, sink, interrupt=interrupt))
                if stops[-1] is Stop.PAUSED and len(stops) < len(stalls):
                    go_on(stalls[len(stops)])

        assert {Stop.PAUSED, Stop.END} == {*stops}
        assert len(stops) >= len(stalls)
        assert bytes(sink.data) == b"".join(pieces)

    async def test_a_pause_that_is_taken_back_at_once_loses_nothing(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        stops, stall, interrupt = list[Stop](), Stall(until=asyncio.Event()), pausable()
        async with open_source([Data(b"012"), stall, Data(b"345"), End()]) as source:
            pumping = asyncio.create_task(pump(source, sink, interrupt=interrupt))
            await asyncio.wait_for(stall.reached.wait(), LONG)
            interrupt.pause()
            interrupt.resume()
            go_on(stall)
            stops.append(await pumping)
            while stops[-1] is Stop.PAUSED:
                stops.append(await pump(source, sink, interrupt=interrupt))

        assert stops[-1] is Stop.END
        assert bytes(sink.data) == b"012345"

    @pytest.mark.parametrize("reason", [Stop.REVOKED, Stop.SHUTDOWN, Stop.IDLE])
    async def test_who_is_paused_and_asked_to_leave_does_so_with_what_arrived_meanwhile(
        self, open_source: OpenSource, sink: CollectingSink, reason: Stop
    ) -> None:
        first, second, interrupt = Stall(until=asyncio.Event()), Stall(), pausable()
        async with open_source([Data(b"012"), first, Data(b"345"), second]) as source:
            pumping = asyncio.create_task(pump(source, sink, interrupt=interrupt))
            await asyncio.wait_for(first.reached.wait(), LONG)
            interrupt.pause()
            paused = await pumping
            go_on(first)
            arrived = await asyncio.wait_for(source.arrival(), LONG)
            interrupt.set(reason)
            left = await pump(source, sink, interrupt=interrupt)

        assert (Stop.PAUSED, True, reason) == (paused, arrived, left)
        assert bytes(sink.data) == b"012345"

    async def test_who_is_paused_and_asked_to_leave_waits_for_nothing(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        stall, interrupt = Stall(), pausable()
        now = asyncio.get_running_loop().time
        async with open_source([stall]) as source:
            pumping = asyncio.create_task(pump(source, sink, interrupt=interrupt))
            await asyncio.wait_for(stall.reached.wait(), LONG)
            interrupt.pause()
            await pumping
            began = now()
            interrupt.revoke()
            left = await pump(source, sink, interrupt=interrupt)
            seconds = now() - began

        assert left is Stop.REVOKED
        # The chance of who has had no byte yet, which is longer, is over.
        assert seconds < SHORT

    async def test_an_arrival_is_told_and_stays(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        stall, interrupt = Stall(until=asyncio.Event()), pausable()
        async with open_source([Data(b"012"), stall, Data(b"345"), End()]) as source:
            pumping = asyncio.create_task(pump(source, sink, interrupt=interrupt))
            await asyncio.wait_for(stall.reached.wait(), LONG)
            interrupt.pause()
            await pumping
            for _ in range(3):
                # Who waited and gave up takes nothing along.
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(source.arrival(), 0.001)
            go_on(stall)
            arrived = await asyncio.wait_for(source.arrival(), LONG)
            kept = bytes(sink.data)
            interrupt.resume()
            stop = await pump(source, sink, interrupt=interrupt)

        assert (arrived, kept, stop) == (True, b"012", Stop.END)
        assert bytes(sink.data) == b"012345"

    async def test_a_client_that_goes_during_a_pause_is_noticed(
        self, open_source: OpenSource, sink: CollectingSink
    ) -> None:
        stall, interrupt = Stall(until=asyncio.Event()), pausable()
        async with open_source([Data(b"012"), stall, Disconnect()]) as source:
            pumping = asyncio.create_task(pump(source, sink, interrupt=interrupt))
            await asyncio.wait_for(stall.reached.wait(), LONG)
            interrupt.pause()
            await pumping
            go_on(stall)
            there = await asyncio.wait_for(source.arrival(), LONG)
            interrupt.set(Stop.CUT)
            stop = await pump(source, sink, interrupt=interrupt)

        assert (there, stop, bytes(sink.data)) == (False, Stop.CUT, b"012")
