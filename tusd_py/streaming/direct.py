"""The body source of our own server: from the socket into the sink, past ``receive()``."""

import asyncio

from tusd_py.threads import WorkerThreads

from .base import DirectSink, Interrupt, Sink, Stop
from .connection import Connection, SocketBody
from .inlet import Inlet
from .received import ReceivedBody
from .turn import MANY, Turns

# The next bytes of a client that sends slowly are looked for after so many seconds, so that more
# of them are moved at once.
PAUSE = 0.01


class DirectBody:
    """A body that is taken from the socket as long as it comes as it should.

    For as long as bytes keep coming, a thread moves them; while they don't, the event loop waits
    for the socket. Whatever ends that (the end of the body or of the connection, a client that is
    too slow, a request to leave) is left to ``receive()``, after the connection was given back. So
    all bodies end in one way.

    Args:
        received: The same body through ``receive()``.
        connection: Hands the socket over.
        threads: Where bytes are moved.
        idle_timeout: Seconds without a byte after which the transfer stops; 0 is never.
    """

    def __init__(
        self,
        received: ReceivedBody,
        connection: Connection,
        threads: WorkerThreads,
        *,
        idle_timeout: float,
    ) -> None:
        self._received = received
        self._connection = connection
        self._threads = threads
        self._idle_timeout = idle_timeout

    async def arrival(self) -> bool:
        """Wait for more of the body; see ``BodySource``."""
        return await self._received.arrival()

    async def pump(
        self, sink: Sink, *, limit: int | None, due: float, interrupt: Interrupt
    ) -> Stop:
        """Move bytes into the sink; see ``BodySource``."""
        self._received.stop_waiting()
        settled = self._connection.complete() or self._received.in_use
        if not settled and interrupt.reason is None and isinstance(sink, DirectSink):
            before = sink.offset
            stop = await self._take(sink, limit, due, interrupt)
            if stop is not None:
                return stop
            limit = None if limit is None else limit - (sink.offset - before)
        return await self._received.pump(sink, limit=limit, due=due, interrupt=interrupt)

    async def _take(
        self, sink: DirectSink, limit: int | None, due: float, interrupt: Interrupt
    ) -> Stop | None:
        """Move bytes until there is a reason to come back; None leaves it to ``receive()``."""
        body = self._connection.hand_over(limit)
        if body is None:
            return None
        inlet = Inlet(body.fd, body.missing)
        rest = 0 if limit is None else max(0, len(body.first) + body.missing - limit)
        try:
            if body.first:
                await sink.write([body.first])
                self._received.moved(len(body.first))
                self._received.came(len(body.first), 0.0)
                if asyncio.get_running_loop().time() >= due:
                    return Stop.DUE
            self._received.size.begin()
            turns = Turns(sink, inlet, rest, interrupt, self._threads, self._received.size)
            if await self._move(turns, body, due, interrupt):
                return Stop.DUE
            if turns.over and inlet.left and await self._has_more(inlet, interrupt):
                return Stop.LIMIT
            return None
        finally:
            body.give_back(inlet.left)

    async def _move(self, turns: Turns, body: SocketBody, due: float, interrupt: Interrupt) -> bool:
        """Move bytes until there are none to be moved, or it is due, which it tells."""
        now = asyncio.get_running_loop().time
        waited = 0.0
        while not turns.over:
            moved, seconds = await turns.take()
            waited += seconds
            if moved:
                self._received.moved(moved)
                self._received.size.moved(moved)
            if moved and self._received.came(moved, waited):
                interrupt.set(Stop.IDLE)
            if turns.inlet.ended or body.lost or interrupt.reason is not None:
                return False
            if moved:
                waited = 0.0
                if now() >= due and not turns.over:
                    return True
            if turns.inlet.dry:
                pause = PAUSE if 0 < moved < MANY else 0.0
                waited += await self._wait(turns.inlet, interrupt, pause)
        return False

    async def _has_more(self, inlet: Inlet, interrupt: Interrupt) -> bool:
        if not self._connection.undelivered():
            await self._wait(inlet, interrupt, 0.0)
        return self._connection.undelivered() > 0

    async def _wait(self, inlet: Inlet, interrupt: Interrupt, pause: float) -> float:
        """Wait until bytes have come, or a stop is asked for; gives the seconds."""
        loop = asyncio.get_running_loop()
        came = loop.create_future()

        def wake(_: Stop | None = None) -> None:
            if not came.done():
                came.set_result(None)

        began = loop.time()
        timers = [loop.call_later(pause, lambda: loop.add_reader(inlet.fd, wake))]
        if self._idle_timeout:
            timers.append(loop.call_later(self._idle_timeout, interrupt.set, Stop.IDLE))
        try:
            with interrupt.watched(wake):
                await came
        finally:
            for timer in timers:
                timer.cancel()
            loop.remove_reader(inlet.fd)
        return loop.time() - began
