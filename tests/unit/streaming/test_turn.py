"""How long a thread stays with one transfer."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.buffers import fixed, usual
from tusd_py.errors import StorageFull
from tusd_py.streaming import Interrupt, Stop, turn
from tusd_py.streaming.inlet import Inlet
from tusd_py.streaming.turn import MANY, Turns
from tusd_py.testing.script import CollectingSink
from tusd_py.threads import WorkerThreads

LONG = 10.0

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The client's end of a connection, and ours, which does not block."""
    theirs, ours = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * MANY)
    ours.setblocking(False)
    with theirs, ours:
        yield theirs, ours


@pytest.fixture
def threads() -> WorkerThreads:
    return WorkerThreads(1, "test")


class Feeding(CollectingSink):
    """A sink whose client sends more, each time that something was taken, some times."""

    def __init__(self, client: socket.socket, times: int) -> None:
        super().__init__()
        self._client = client
        self.times = times

    def take(self, inlet: Inlet, size: int) -> None:
        super().take(inlet, size)
        if self.times:
            self.times -= 1
            self._client.sendall(b"x")


class Settling(CollectingSink):
    """A sink that notes how much there was whenever it had to settle."""

    def __init__(self, *, room: int | None = None) -> None:
        super().__init__(room=room)
        self.settled: list[int] = []

    def settle(self) -> None:
        self.settled.append(self.offset)


def turns(
    ends: Ends,
    threads: WorkerThreads,
    sink: CollectingSink,
    *,
    left: int = 10 * MANY,
    rest: int = 0,
    interrupt: Interrupt | None = None,
) -> Turns:
    return Turns(
        sink, Inlet(ends[1].fileno(), left), rest, interrupt or Interrupt(), threads, usual()
    )


async def test_a_step_takes_no_more_than_a_buffer(ends: Ends, threads: WorkerThreads) -> None:
    sink = CollectingSink()
    ends[0].sendall(bytes(3 * 4096))
    inlet = Inlet(ends[1].fileno(), 3 * 4096)
    await Turns(sink, inlet, 0, Interrupt(), threads, fixed(4096)).take()

    assert [4096] * 3 == sink.batches


async def test_what_comes_is_moved_up_to_the_rest(ends: Ends, threads: WorkerThreads) -> None:
    sink = CollectingSink()
    ends[0].sendall(b"0123456789")
    taking = turns(ends, threads, sink, left=10, rest=4)

    assert 6 == (await taking.take())[0]
    assert (True, 4, b"012345") == (taking.over, taking.inlet.left, bytes(sink.data))


async def test_a_slow_client_gives_the_thread_back_at_once(
    ends: Ends, threads: WorkerThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "PATIENCE", LONG)
    monkeypatch.setattr(turn, "LONGEST", LONG)
    ends[0].sendall(bytes(MANY - 1))
    taking = turns(ends, threads, CollectingSink())

    assert (MANY - 1, 0.0) == await asyncio.wait_for(taking.take(), LONG / 2)
    assert taking.inlet.dry


async def test_for_a_fast_client_a_thread_waits_a_little(
    ends: Ends, threads: WorkerThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "PATIENCE", LONG)
    monkeypatch.setattr(turn, "LONGEST", LONG)
    ends[0].sendall(bytes(MANY))
    sink = CollectingSink()
    taking = turns(ends, threads, sink, left=MANY + 1)
    turn_ = asyncio.create_task(taking.take())
    while sink.offset < MANY:  # noqa: ASYNC110 - the sink has no event
        await asyncio.sleep(0.001)
    await asyncio.to_thread(ends[0].sendall, b"x")
    moved, waited = await asyncio.wait_for(turn_, LONG / 2)

    assert moved == MANY + 1
    assert 0 < waited < LONG / 2


async def test_no_thread_waits_while_another_transfer_does(
    ends: Ends, threads: WorkerThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "PATIENCE", LONG)
    monkeypatch.setattr(turn, "LONGEST", LONG)
    ends[0].sendall(bytes(MANY))
    sink = CollectingSink(gate=asyncio.Event())
    turn_ = asyncio.create_task(turns(ends, threads, sink).take())
    await asyncio.sleep(0)
    other = asyncio.create_task(threads.run(threading.get_ident))
    await asyncio.sleep(0)
    sink.open()

    assert (MANY, 0.0) == await asyncio.wait_for(turn_, LONG / 2)
    await other


async def test_a_turn_ends_although_more_comes(
    ends: Ends, threads: WorkerThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "LONGEST", 0.0001)
    sink = Feeding(ends[0], 1_000_000)
    ends[0].sendall(b"x")

    assert 0 <= (await turns(ends, threads, sink).take())[0] < 10_000


async def test_a_turn_ends_when_a_stop_is_asked_for(
    ends: Ends, threads: WorkerThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "LONGEST", LONG)
    interrupt, sink = Interrupt(), Feeding(ends[0], 10**9)
    ends[0].sendall(b"x")
    turn_ = asyncio.create_task(turns(ends, threads, sink, left=10**9, interrupt=interrupt).take())
    while not sink.offset:  # noqa: ASYNC110 - the sink has no event
        await asyncio.sleep(0.001)
    interrupt.set(Stop.REVOKED)

    assert (await asyncio.wait_for(turn_, LONG / 2))[0] > 0


async def test_a_failure_of_the_sink_is_raised(ends: Ends, threads: WorkerThreads) -> None:
    ends[0].sendall(b"0123")
    sink = CollectingSink(room=2)

    with pytest.raises(StorageFull):
        await turns(ends, threads, sink).take()
    assert b"01" == bytes(sink.data)


@pytest.mark.parametrize("room", [None, 2], ids=["well", "with a failure"])
async def test_nothing_is_under_way_after_a_turn_however_it_ends(
    ends: Ends, threads: WorkerThreads, room: int | None
) -> None:
    ends[0].sendall(b"0123")
    sink = Settling(room=room)
    with suppress(StorageFull):
        await turns(ends, threads, sink).take()

    assert [sink.offset] == sink.settled


async def test_the_end_of_the_connection_ends_the_turn(ends: Ends, threads: WorkerThreads) -> None:
    ends[0].sendall(b"0123")
    ends[0].close()
    taking = turns(ends, threads, CollectingSink())

    assert 4 == (await taking.take())[0]
    assert taking.inlet.ended
