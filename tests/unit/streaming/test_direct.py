"""What is particular to the direct body; the rest is in its contract."""

import asyncio
import math
import socket
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import pytest

from tests.support.asgi import ScriptedConnection
from tests.support.buffers import usual
from tusd_py.errors import StorageFull
from tusd_py.streaming import Interrupt, Stop, direct, received
from tusd_py.streaming.asking import Asking
from tusd_py.streaming.connection import SocketBody
from tusd_py.streaming.direct import DirectBody
from tusd_py.streaming.received import ReceivedBody
from tusd_py.testing.script import CollectingSink
from tusd_py.threads import WorkerThreads

LENGTH = 1000
LONG = 10.0


class Handed:
    """A body that was handed over, and what came back of it."""

    def __init__(self, ours: socket.socket, first: bytes) -> None:
        self.first = first
        self.missing = LENGTH - len(first)
        self.fd = ours.fileno()
        self.lost = False
        self.given_back: list[int] = []

    def give_back(self, missing: int) -> None:
        self.given_back.append(missing)


class Handing(ScriptedConnection):
    """A connection that hands over what a test has."""

    def __init__(self, body: Handed | None) -> None:
        super().__init__()
        self.body = body
        self.asked = 0

    def hand_over(self, limit: int | None) -> SocketBody | None:  # noqa: ARG002 - the port's form
        self.asked += 1
        return self.body


class PlainSink:
    """A sink that takes batches only."""

    def __init__(self) -> None:
        self.data = b""

    @property
    def offset(self) -> int:
        return len(self.data)

    async def write(self, batch: Sequence[bytes]) -> None:
        self.data += b"".join(batch)


class Transfer:
    """A pump in a task of its own, with a client that a test drives.

    ``receive()`` delivers the messages given and then the end of the connection, or, if it is
    silent, nothing.
    """

    def __init__(
        self,
        client: socket.socket,
        ours: socket.socket,
        *messages: MutableMapping[str, Any],
        first: bytes = b"",
        idle_timeout: float = 0.0,
        min_rate: int | None = None,
    ) -> None:
        self.client = client
        self.handed = Handed(ours, first)
        self.connection = Handing(self.handed)
        self.sink = CollectingSink()
        self.interrupt = Interrupt()
        self.silent = False
        self._messages = [*messages]
        received_ = ReceivedBody(
            Asking(self._receive), usual, idle_timeout=idle_timeout, min_rate=min_rate
        )
        self.source = DirectBody(
            received_, self.connection, WorkerThreads(1, "test"), idle_timeout=idle_timeout
        )

    async def _receive(self) -> MutableMapping[str, Any]:
        if self.silent:
            await asyncio.Event().wait()
        return self._messages.pop(0) if self._messages else {"type": "http.disconnect"}

    def start(self, *, limit: int | None = None) -> asyncio.Task[Stop]:
        pumping = self.source.pump(self.sink, limit=limit, due=math.inf, interrupt=self.interrupt)
        return asyncio.create_task(pumping)

    async def sent(self, data: bytes) -> None:
        """Send, and wait until it is in the sink."""
        wanted = self.sink.offset + len(data)
        self.client.sendall(data)
        while self.sink.offset < wanted:  # noqa: ASYNC110 - the sink has no event
            await asyncio.sleep(0.001)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The client's end of a connection, and ours, which does not block."""
    theirs, ours = socket.socketpair()
    ours.setblocking(False)
    with theirs, ours:
        yield theirs, ours


Ends = tuple[socket.socket, socket.socket]


async def test_a_sink_that_takes_no_bytes_itself_gets_them_received(ends: Ends) -> None:
    transfer, sink = Transfer(*ends, {"type": "http.request", "body": b"0123"}), PlainSink()
    stop = await transfer.source.pump(sink, limit=None, due=math.inf, interrupt=Interrupt())

    assert (Stop.END, b"0123", 0) == (stop, sink.data, transfer.connection.asked)


async def test_what_is_not_handed_over_is_received(ends: Ends) -> None:
    transfer = Transfer(*ends, {"type": "http.request", "body": b"0123"})
    transfer.connection.body = None

    assert await transfer.start() is Stop.END
    assert (b"0123", 1) == (bytes(transfer.sink.data), transfer.connection.asked)


async def test_who_was_asked_to_leave_does_not_take_the_socket(ends: Ends) -> None:
    transfer = Transfer(*ends, {"type": "http.request", "body": b"0", "more_body": True})
    transfer.interrupt.set(Stop.SHUTDOWN)

    assert await transfer.start() is Stop.SHUTDOWN
    assert 0 == transfer.connection.asked


async def test_what_was_received_beyond_a_limit_comes_before_the_socket(ends: Ends) -> None:
    transfer = Transfer(*ends, {"type": "http.request", "body": b"0123", "more_body": True})
    transfer.connection.body = None
    stops = [await transfer.start(limit=2)]
    transfer.connection.body = transfer.handed
    stops.append(await transfer.start())

    assert [Stop.LIMIT, Stop.CUT] == stops
    assert (b"0123", []) == (bytes(transfer.sink.data), transfer.handed.given_back)


@pytest.mark.parametrize(("room", "left"), [(2, LENGTH - 4), (6, LENGTH - 10)])
async def test_after_a_failure_it_is_known_how_much_was_read(
    ends: Ends, room: int, left: int
) -> None:
    transfer = Transfer(*ends, first=b"0123")
    transfer.sink = CollectingSink(room=room)
    transfer.client.sendall(b"456789")
    with pytest.raises(StorageFull):
        await transfer.start()

    assert [left] == transfer.handed.given_back
    assert b"0123456789"[:room] == bytes(transfer.sink.data)


async def test_who_is_cancelled_lets_go_once_the_thread_has(ends: Ends) -> None:
    transfer = Transfer(*ends)
    transfer.sink = CollectingSink(gate=asyncio.Event())
    transfer.client.sendall(b"0123")
    pumping = transfer.start()
    await asyncio.sleep(0)
    pumping.cancel()
    done, _ = await asyncio.wait((pumping,), timeout=0.05)
    held = (done, list(transfer.handed.given_back))
    transfer.sink.open()
    await asyncio.wait((pumping,))

    assert (set(), []) == held
    assert [LENGTH - 4] == transfer.handed.given_back
    assert b"0123" == bytes(transfer.sink.data)


async def test_a_limit_counts_what_came_before(ends: Ends) -> None:
    transfer = Transfer(*ends, first=b"0123")
    transfer.connection.held = 4
    transfer.client.sendall(b"456789")

    assert await transfer.start(limit=6) is Stop.LIMIT
    assert (b"012345", [LENGTH - 6]) == (bytes(transfer.sink.data), transfer.handed.given_back)


async def test_a_limit_counts_what_was_taken_before_the_rest_is_received(ends: Ends) -> None:
    transfer = Transfer(*ends, {"type": "http.request", "body": b"456789"}, first=b"01")
    pumping = transfer.start(limit=6)
    await transfer.sent(b"23")
    transfer.interrupt.set(Stop.REVOKED)

    assert await pumping is Stop.LIMIT
    assert b"012345" == bytes(transfer.sink.data)


async def test_a_connection_that_is_lost_is_let_go(ends: Ends) -> None:
    transfer = Transfer(*ends)
    pumping = transfer.start()
    await transfer.sent(b"0123")
    transfer.handed.lost = True
    # The other side may go on sending for as long as it likes.
    transfer.client.sendall(b"4")

    assert await asyncio.wait_for(pumping, LONG) is Stop.CUT
    assert 1 == len(transfer.handed.given_back)


async def test_nobody_listens_to_the_socket_afterwards(ends: Ends) -> None:
    transfer = Transfer(*ends, {"type": "http.request", "more_body": True})
    pumping = transfer.start()
    await transfer.sent(b"0")
    # For this one it has waited.
    await transfer.sent(b"1")
    transfer.interrupt.set(Stop.REVOKED)
    await pumping

    assert not asyncio.get_running_loop().remove_reader(ends[1].fileno())


async def test_of_a_slow_client_more_is_moved_at_once(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "PAUSE", 0.5)
    transfer = Transfer(*ends)
    pumping = transfer.start()
    await transfer.sent(b"0")
    for _ in range(10):
        transfer.client.sendall(b"1")
        await asyncio.sleep(0.001)
    await transfer.sent(b"")
    transfer.client.close()
    await pumping

    assert [1, 10] == transfer.sink.batches


async def test_every_byte_starts_the_patience_anew(ends: Ends) -> None:
    transfer, loop = Transfer(*ends, idle_timeout=0.4), asyncio.get_running_loop()
    for count in range(4):
        loop.call_later(0.15 * count, transfer.client.sendall, b"0")
    loop.call_later(0.6, transfer.client.close)

    assert await transfer.start() is Stop.CUT
    assert b"0000" == bytes(transfer.sink.data)


@pytest.mark.parametrize(("rate", "expected"), [(10**6, Stop.IDLE), (1, Stop.CUT)])
async def test_who_sends_too_little_is_left(ends: Ends, rate: int, expected: Stop) -> None:
    nothing = {"type": "http.request", "more_body": True}
    transfer = Transfer(*ends, nothing, idle_timeout=0.3, min_rate=rate)
    loop = asyncio.get_running_loop()
    # Three times as long as it takes to see how slow it is.
    timers = [loop.call_later(0.02 * count, transfer.client.sendall, b"0") for count in range(45)]
    timers.append(loop.call_later(0.9, transfer.client.close))

    assert await transfer.start() is expected
    for timer in timers:
        timer.cancel()


async def test_the_time_that_a_slow_sink_takes_is_not_the_clients(ends: Ends) -> None:
    transfer, loop = Transfer(*ends, idle_timeout=0.05, min_rate=10**6), asyncio.get_running_loop()
    transfer.sink = CollectingSink(gate=asyncio.Event())
    transfer.client.sendall(bytes(100))
    transfer.client.close()
    loop.call_later(0.2, transfer.sink.open)

    assert await transfer.start() is Stop.CUT


async def test_who_had_bytes_gets_no_last_chance(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received, "LAST_CHANCE", LONG)
    transfer = Transfer(*ends)
    transfer.silent = True
    pumping = transfer.start()
    await transfer.sent(b"0")
    transfer.interrupt.set(Stop.REVOKED)

    assert await asyncio.wait_for(pumping, LONG / 2) is Stop.REVOKED
