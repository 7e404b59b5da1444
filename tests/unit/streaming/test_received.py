"""What is particular to ``receive()``; the rest is in its contract."""

import asyncio
import math
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any

import anyio
import pytest

from tests.support.asgi import ScriptedConnection
from tests.support.buffers import usual
from tusd_py.streaming import Interrupt, Stop, received
from tusd_py.streaming.asking import Asking
from tusd_py.streaming.budget import BufferBudget
from tusd_py.streaming.received import LAST_CHANCE, ReceivedBody
from tusd_py.testing.script import CollectingSink

Message = MutableMapping[str, Any]


class Server:
    """An ASGI server whose messages a test delivers one by one."""

    def __init__(self, *messages: Message) -> None:
        self.waiting = asyncio.Event()
        self.cancelled = 0
        self.calls = 0
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self.deliver(*messages)

    def deliver(self, *messages: Message) -> None:
        for message in messages:
            self._messages.put_nowait(message)

    async def receive(self) -> Message:
        self.calls += 1
        if self._messages.empty():
            self.waiting.set()
        try:
            return await self._messages.get()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


def data(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def turns() -> None:
    """Let every task that can run do so many times."""
    for _ in range(30):
        await asyncio.sleep(0)


DISCONNECT: Message = {"type": "http.disconnect"}


class Arrivals(ScriptedConnection):
    """A connection whose undelivered bytes a test counts."""

    def __init__(self, undelivered: Callable[[], int]) -> None:
        super().__init__()
        self._count = undelivered

    def undelivered(self) -> int:
        return self._count()


class Transfer:
    """A pump in a task of its own, on a server that a test drives."""

    def __init__(
        self,
        server: Server,
        *,
        idle_timeout: float = 0.0,
        connection: ScriptedConnection | None = None,
        limit: int | None = None,
    ) -> None:
        self.budget = BufferBudget(2**20)
        self.sink = CollectingSink()
        self.interrupt = Interrupt()
        self.source = ReceivedBody(
            Asking(server.receive),
            partial(usual, self.budget),
            idle_timeout=idle_timeout,
            connection=connection,
        )
        self._limit = limit

    def pump(self) -> Awaitable[Stop]:
        return self.source.pump(
            self.sink, limit=self._limit, due=math.inf, interrupt=self.interrupt
        )

    def start(self) -> asyncio.Task[Stop]:
        return asyncio.ensure_future(self.pump())


async def test_the_last_message_may_have_bytes() -> None:
    transfer = Transfer(Server(data(b"01"), data(b"23", more=False)))

    assert await transfer.pump() is Stop.END
    assert bytes(transfer.sink.data) == b"0123"


async def test_a_message_needs_neither_body_nor_more() -> None:
    server = Server({"type": "http.request", "more_body": True}, {"type": "http.request"})

    assert await Transfer(server).pump() is Stop.END


async def test_nothing_is_received_after_the_end() -> None:
    server = Server(data(b"0123", more=False), DISCONNECT)
    transfer = Transfer(server, limit=3)

    stops = [await transfer.pump(), await transfer.pump(), await transfer.pump()]

    assert stops == [Stop.LIMIT, Stop.END, Stop.END]
    assert server.calls == 1


async def test_a_cut_stays_a_cut() -> None:
    server = Server(data(b"0"), DISCONNECT, data(b"1", more=False))
    transfer = Transfer(server)

    assert [await transfer.pump(), await transfer.pump()] == [Stop.CUT, Stop.CUT]
    assert bytes(transfer.sink.data) == b"0"


async def test_messages_without_bytes_are_no_progress_but_no_silence_either() -> None:
    server = Server(*[data(b"")] * 5, data(b"0", more=False))

    assert await Transfer(server, idle_timeout=30).pump() is Stop.END


async def test_receive_is_cancelled_once_and_only_to_leave() -> None:
    server = Server(data(b"0"))
    transfer = Transfer(server)
    pumping = transfer.start()
    await server.waiting.wait()
    before = server.cancelled
    transfer.interrupt.set(Stop.SHUTDOWN)
    await pumping

    assert (before, server.cancelled) == (0, 1)


@pytest.mark.parametrize("reason", [Stop.REVOKED, Stop.SHUTDOWN])
async def test_who_leaves_waits_for_what_has_arrived(reason: Stop) -> None:
    server = Server(data(b"01"))
    left = [2, 0]
    transfer = Transfer(server, connection=Arrivals(lambda: left.pop(0)))
    pumping = transfer.start()
    await server.waiting.wait()
    transfer.interrupt.set(reason)
    server.deliver(data(b"23"))

    assert await pumping is reason
    assert bytes(transfer.sink.data) == b"0123"


async def test_who_leaves_does_not_stay_as_long_as_more_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(received, "DELIVERY_BYTES", 4)
    server = Server(data(b"01"))
    transfer = Transfer(server, connection=Arrivals(lambda: 2))
    pumping = transfer.start()
    await server.waiting.wait()
    transfer.interrupt.set(Stop.REVOKED)
    server.deliver(data(b"23"), data(b"45"), data(b"67"))
    await pumping

    assert bytes(transfer.sink.data) == b"012345"


async def test_who_leaves_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "DELIVERY_TIME", 0.01)
    server = Server(data(b"01"))
    transfer = Transfer(server, connection=Arrivals(lambda: 2))
    pumping = transfer.start()
    await server.waiting.wait()
    transfer.interrupt.set(Stop.SHUTDOWN)

    assert await pumping is Stop.SHUTDOWN
    assert bytes(transfer.sink.data) == b"01"


async def test_who_leaves_takes_no_more_along_than_the_limit() -> None:
    server = Server(data(b"01"))
    transfer = Transfer(server, connection=Arrivals(lambda: 4), limit=4)
    pumping = transfer.start()
    await server.waiting.wait()
    transfer.interrupt.set(Stop.REVOKED)
    server.deliver(data(b"2345"))
    await pumping

    assert bytes(transfer.sink.data) == b"0123"


async def test_the_first_bytes_get_a_last_chance() -> None:
    """Two rivals that keep displacing each other both make progress."""
    server = Server()
    transfer = Transfer(server)
    pumping = transfer.start()
    await server.waiting.wait()
    transfer.interrupt.set(Stop.REVOKED)
    await turns()
    waited = not pumping.done()
    server.deliver(data(b"0123"))

    assert await pumping is Stop.REVOKED
    assert waited
    assert bytes(transfer.sink.data) == b"0123"
    assert server.cancelled == 0


async def test_the_last_chance_is_short() -> None:
    server, now = Server(), asyncio.get_running_loop().time
    transfer = Transfer(server)
    transfer.interrupt.set(Stop.REVOKED)
    started = now()

    assert await transfer.pump() is Stop.REVOKED
    assert LAST_CHANCE * 0.9 <= now() - started < 5


async def test_who_had_bytes_gets_no_last_chance() -> None:
    server = Server(data(b"0"))
    transfer = Transfer(server)
    pumping = transfer.start()
    await server.waiting.wait()
    transfer.interrupt.set(Stop.REVOKED)
    await turns()

    assert pumping.done()


async def test_without_a_timeout_silence_is_borne() -> None:
    server = Server()
    pumping = Transfer(server, idle_timeout=0.0).start()
    await server.waiting.wait()
    await turns()
    silent = not pumping.done()
    server.deliver(data(b"0", more=False))

    assert silent
    assert await pumping is Stop.END


async def test_every_byte_starts_the_patience_anew() -> None:
    server, loop = Server(), asyncio.get_running_loop()
    transfer = Transfer(server, idle_timeout=0.4)
    for count in range(4):
        loop.call_later(0.15 * count, server.deliver, data(b"0"))
    loop.call_later(0.6, server.deliver, data(b"0", more=False))

    assert await transfer.pump() is Stop.END
    assert bytes(transfer.sink.data) == b"00000"


@pytest.mark.parametrize("by_scope", [False, True], ids=["task", "cancel scope"])
async def test_what_arrived_is_kept_by_who_is_cancelled(by_scope: bool) -> None:
    server = Server(data(bytes(100_000)), data(b"last"))
    transfer, scope = Transfer(server), anyio.CancelScope()
    transfer.sink = CollectingSink(gate=asyncio.Event())

    async def pump() -> None:
        with scope:
            await transfer.pump()

    pumping = asyncio.create_task(pump())
    await server.waiting.wait()
    (scope if by_scope else pumping).cancel()
    await turns()
    transfer.sink.open()
    await asyncio.wait((pumping,))

    assert bytes(transfer.sink.data) == bytes(100_000) + b"last"
    assert transfer.budget.used == 0
    assert pumping.cancelled() is not by_scope


@pytest.mark.parametrize("reason", [Stop.REVOKED, Stop.SHUTDOWN])
async def test_a_body_that_has_arrived_whole_is_taken_to_its_end(reason: Stop) -> None:
    connection = ScriptedConnection(whole=True, held=2)
    transfer = Transfer(Server(data(b"01"), data(b"23", more=False)), connection=connection)
    transfer.interrupt.set(reason)

    assert await transfer.pump() is Stop.END
    assert bytes(transfer.sink.data) == b"0123"


async def test_what_is_written_is_not_kept_while_more_is_awaited() -> None:
    body = bytes(100_000)
    before = sys.getrefcount(body)
    server = Server(data(body))
    transfer = Transfer(server)
    pumping = transfer.start()
    await server.waiting.wait()
    while len(transfer.sink.data) < len(body):  # noqa: ASYNC110 - the sink has no event
        await asyncio.sleep(0)
    await turns()
    held = sys.getrefcount(body)
    transfer.interrupt.set(Stop.SHUTDOWN)
    await pumping

    assert held == before
