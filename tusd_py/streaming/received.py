"""The body source of any ASGI server: ``receive()``."""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

import anyio

from .asking import Asking
from .base import Interrupt, Moved, Sink, Stop, nobody_counts
from .behind import WriteBehind
from .buffers import BufferSize
from .connection import Connection
from .pace import Pace

# How long a transfer that was asked to leave may wait for its first bytes, so that two rivals
# that keep displacing each other both make progress.
LAST_CHANCE = 0.05
# How long it may take the server to deliver what has arrived.
DELIVERY_TIME = 0.5
# And how much that may be, if the client goes on sending meanwhile. Systems that are left to choose
# hold up to 32 MiB for a client that sends fast.
DELIVERY_BYTES = 64 * 1024 * 1024
# What a task needs to hand over a message that is there.
_HAND_OVER = 0.005


class ReceivedBody:
    """A body that comes through ASGI's ``receive()``.

    ``receive()`` is cancelled when the transfer is interrupted and will not go on, and for a pause
    only where that loses nothing.

    Args:
        asking: Asks ``receive()``.
        sizing: Gives the size of buffers, if any are needed.
        idle_timeout: Seconds without a byte after which the transfer stops; 0 is never.
        min_rate: Bytes per second, over ``idle_timeout``, below which it stops too; None is none.
        connection: Tells what has reached this machine and not ``receive()``; None if nobody can.
        moved: Counts what was moved.
    """

    def __init__(
        self,
        asking: Asking,
        sizing: Callable[[], BufferSize],
        *,
        idle_timeout: float,
        min_rate: float | None = None,
        connection: Connection | None = None,
        moved: Moved = nobody_counts,
    ) -> None:
        self.moved = moved
        self._asking = asking
        self._sizing = sizing
        self._idle_timeout = idle_timeout
        self._pace = Pace(least=min_rate, window=idle_timeout) if min_rate else None
        self._connection = connection
        self._to_deliver = DELIVERY_BYTES
        self._excess = b""
        self._ended: Stop | None = None
        self._moved = False
        # Why it was asked to stop, also if that was taken back.
        self._leaving: Stop | None = None
        self._to_pause = 0
        # Waiting for the client, that is: the time a slow disk takes is not the client's.
        self._waiting_since = math.inf
        self._waited = 0.0

    @cached_property
    def size(self) -> BufferSize:
        """The size of this connection's buffers."""
        return self._sizing()

    @property
    def in_use(self) -> bool:
        """It holds bytes that were not moved, or knows how the body ended."""
        return bool(self._excess) or self._ended is not None or self._asking.pending

    async def arrival(self) -> bool:
        """Wait for more of the body; see ``BodySource``."""
        if self._excess or self._ended is not None:
            return self._ended is not Stop.CUT
        return await self._asking.arrival()

    def stop_waiting(self) -> None:
        """Wait no more for bytes that did not come, if that loses nothing."""
        self._asking.stop_waiting()

    def came(self, size: int, waited: float) -> bool:
        """Count bytes that came after so many seconds of waiting; tells if that is too slow."""
        self._moved = self._moved or size > 0
        return self._pace is not None and self._pace.too_slow(size, waited)

    async def pump(
        self, sink: Sink, *, limit: int | None, due: float, interrupt: Interrupt
    ) -> Stop:
        """Move bytes into the sink; see ``BodySource``."""
        room = _Room(limit)
        if self._connection is not None and self._connection.complete():
            return await self._take_whole(sink, room)
        self.size.begin()
        behind = WriteBehind(sink, self.size, left=limit, moved=self.moved)
        budget = self.size.budget
        budget.begin_transfer()
        try:
            with anyio.CancelScope() as scope, self._stoppable(scope, interrupt):
                return await self._fill(behind, room, due, interrupt)
        finally:
            budget.end_transfer()
            # What arrived is kept, also when this task is being cancelled.
            with anyio.CancelScope(shield=True):
                try:
                    await behind.drain()
                finally:
                    behind.discard()
                    self.moved(0)
                    if self._leaving not in (None, Stop.PAUSED):
                        self._asking.give_up()
        if self._ended is Stop.END and not self._excess:
            return Stop.END
        return interrupt.reason or self._leaving or Stop.CUT

    async def _take_whole(self, sink: Sink, room: "_Room") -> Stop:
        """Move a body that has arrived: there is nothing to wait for, or to be warned of."""
        batch = []
        while self._ended is None or self._excess:
            if taken := await self._take(room):
                batch.append(taken)
            if self._excess:
                break
        if batch:
            await sink.write(batch)
            self.moved(sum(map(len, batch)))
        return Stop.LIMIT if self._excess else self._ended or Stop.END

    async def _fill(
        self, behind: WriteBehind, room: "_Room", due: float, interrupt: Interrupt
    ) -> Stop:
        now = asyncio.get_running_loop().time
        while True:
            size = await self._move(behind, room, returning=interrupt.may_pause)
            if self._excess:
                return Stop.LIMIT
            if self._ended is not None:
                return self._ended
            if self.came(size, self._waited):
                interrupt.set(Stop.IDLE)
            if (reason := interrupt.reason) is not None and not self._arriving(reason, size):
                return reason
            if now() >= due:
                return Stop.DUE

    async def _move(self, behind: WriteBehind, room: "_Room", *, returning: bool) -> int:
        """Move the next bytes, perhaps none, and keep no reference to them."""
        taken = await self._take(room, returning=returning)
        if taken:
            await behind.add(taken)
        return len(taken)

    async def _take(self, room: "_Room", *, returning: bool = False) -> bytes:
        """The next bytes for which there is room, perhaps none; ``_excess`` is what had none."""
        chunk = self._excess or await self._next(returning=returning)
        taken = room.take(chunk)
        self._excess = chunk[len(taken) :]
        return taken

    async def _next(self, *, returning: bool) -> bytes:
        """The next bytes, perhaps none; ``_ended`` tells when there will be no more."""
        if self._ended is not None:
            return b""
        now = asyncio.get_running_loop().time
        self._waiting_since = now()
        try:
            message = await self._asking.next(returning=returning)
        finally:
            self._waited = now() - self._waiting_since
            self._waiting_since = math.inf
        if message["type"] == "http.disconnect":
            self._ended = Stop.CUT
            return b""
        if not message.get("more_body", False):
            self._ended = Stop.END
        body: bytes = message.get("body", b"")
        return body

    def _arriving(self, reason: Stop, size: int) -> bool:
        """Tell, after ``size`` bytes more, whether to stay for what this machine has received."""
        if reason is Stop.PAUSED:
            # The client may go on sending: this is about what was there when it was asked for.
            self._to_pause -= size
            return self._to_pause > 0 and self._undelivered() > 0
        self._to_deliver -= size
        return self._to_deliver > 0 and self._undelivered() > 0

    def _undelivered(self) -> int:
        return self._connection.undelivered() if self._connection is not None else 0

    def _time_to_leave(self, reason: Stop) -> float:
        """How many seconds there are still for bytes, after a stop was asked for."""
        if self._undelivered() > 0:
            return DELIVERY_TIME
        if reason is Stop.REVOKED and not self._moved:
            return LAST_CHANCE
        return _HAND_OVER if self._asking.arrived else 0

    @contextmanager
    def _stoppable(self, scope: anyio.CancelScope, interrupt: Interrupt) -> Iterator[None]:
        """Cancel the scope when a stop is asked for, or no byte came for too long."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle | None = None
        self._leaving = None

        def leave(reason: Stop) -> None:
            nonlocal timer
            self._leaving = reason
            if reason is Stop.PAUSED:
                self._to_pause = self._undelivered()
                # That was its chance to bring a byte.
                self._moved = True
            if timer is not None:
                timer.cancel()
            timer = loop.call_later(self._time_to_leave(reason), scope.cancel)

        def look() -> None:
            nonlocal timer
            left = self._waiting_since + self._idle_timeout - loop.time()
            if left <= 0:
                interrupt.set(Stop.IDLE)
            else:
                timer = loop.call_later(min(left, self._idle_timeout), look)

        if self._idle_timeout:
            timer = loop.call_later(self._idle_timeout, look)
        try:
            with interrupt.watched(leave):
                yield
        finally:
            if timer is not None:
                timer.cancel()


class _Room:
    """How many bytes may still be taken."""

    def __init__(self, limit: int | None) -> None:
        self._left = limit

    def take(self, chunk: bytes) -> bytes:
        if self._left is None:
            return chunk
        taken = chunk if len(chunk) <= self._left else chunk[: self._left]
        self._left -= len(taken)
        return taken
