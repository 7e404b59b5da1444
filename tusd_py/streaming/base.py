"""The port of body sources: a pump that moves bytes into a sink and says why it stopped."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Protocol, runtime_checkable

from .inlet import Inlet


class Stop(StrEnum):
    """Why a pump stopped.

    ``LIMIT``, ``DUE`` and ``PAUSED`` mean: there is more. The others are the end of the body, for
    good or ill.
    """

    END = "end"
    LIMIT = "limit"
    DUE = "due"
    PAUSED = "paused"
    CUT = "cut"
    IDLE = "idle"
    REVOKED = "revoked"
    SHUTDOWN = "shutdown"
    STOPPED = "stopped"
    SWITCHED = "switched"


Moved = Callable[[int], None]
"""Is told, in the event loop, how many bytes were moved at once; 0 where some were given up."""


def nobody_counts(size: int) -> None:
    """Take no notice of what was moved."""


class Sink(Protocol):
    """Takes bytes in order. Backends write it; sources fill it."""

    @property
    def offset(self) -> int:
        """Where the next byte goes: everything before it was written."""
        ...

    async def write(self, batch: Sequence[bytes]) -> None:
        """Write a batch at ``offset`` and move ``offset`` past what was written.

        Raises:
            StorageError: Not all could be written. ``offset`` counts what was.
        """
        ...


@runtime_checkable
class DirectSink(Sink, Protocol):
    """A sink that can take bytes from a socket itself."""

    def take(self, inlet: Inlet, size: int) -> None:
        """Move up to ``size`` bytes that have come, and ``offset`` past what was written.

        It waits for the disk and never for the client: call it in a worker thread.

        Raises:
            OSError: Not all that was read could be written. ``offset`` counts what was.
            StorageError: The same.
        """
        ...

    def settle(self) -> None:
        """End what calls of ``take`` began; the same thread calls it after some of them.

        Raises:
            OSError: What was taken does not count as it should.
            StorageError: The same.
        """
        ...

    def read_back(self, offset: int, size: int) -> bytes:
        """Read some of what was taken, up to ``size`` bytes; also in another thread meanwhile.

        Raises:
            OSError: It failed.
            StorageError: It is not there.
        """
        ...


class Interrupt:
    """How others ask a transfer to stop. The first reason wins and stays.

    Only a pause does not: it can be taken back, and any other reason takes its place.

    Attributes:
        reason: Why to stop; None is not to.
        may_pause: Somebody may ask for a pause.
    """

    def __init__(self) -> None:
        self.reason: Stop | None = None
        self.may_pause = False
        self._watcher: Callable[[Stop], None] | None = None
        self._pause_over: asyncio.Future[None] | None = None

    def set(self, reason: Stop) -> None:
        """Ask for a stop. Call it from the event loop."""
        if self.reason is None or self.reason is Stop.PAUSED:
            self.reason = reason
            self._end_pause()
            if self._watcher is not None:
                self._watcher(reason)

    def pause(self) -> None:
        """Ask for a stop until ``resume``."""
        if self.reason is None:
            self.set(Stop.PAUSED)

    def resume(self) -> None:
        """Take back a pause, if it is one."""
        if self.reason is Stop.PAUSED:
            self.reason = None
            self._end_pause()

    async def pause_over(self) -> Stop | None:
        """Wait for the end of a pause; gives the reason that took its place."""
        while self.reason is Stop.PAUSED:
            self._pause_over = asyncio.get_running_loop().create_future()
            await self._pause_over
        return self.reason

    def _end_pause(self) -> None:
        if self._pause_over is not None and not self._pause_over.done():
            self._pause_over.set_result(None)

    def revoke(self) -> None:
        """Ask for a stop on behalf of a rival; what a lock calls."""
        self.set(Stop.REVOKED)

    @contextmanager
    def watched(self, watcher: Callable[[Stop], None]) -> Iterator[None]:
        """Call ``watcher`` when the stop is asked for, or at once if it was."""
        self._watcher = watcher
        try:
            if self.reason is not None:
                watcher(self.reason)
            yield
        finally:
            self._watcher = None


class BodySource(Protocol):
    """The body of one request.

    A source never raises for what the network does: it stops, and says why. Every byte that it
    was given before that is in the sink when ``pump`` returns.
    """

    async def arrival(self) -> bool:
        """Wait, while nobody pumps, for more of the body; tells whether the client is still there.

        What has arrived stays for ``pump``, also when this is cancelled.
        """
        ...

    async def pump(
        self, sink: Sink, *, limit: int | None, due: float, interrupt: Interrupt
    ) -> Stop:
        """Move bytes into the sink until something ends it.

        Args:
            sink: Where the bytes go.
            limit: The most bytes to move; None is no limit. ``LIMIT`` says that there is at least
                one byte beyond it, which stays in the source.
            due: The event loop's time in seconds after which to come back between two batches
                even though more bytes come.
            interrupt: Asked to stop through this, it moves what has arrived and leaves. Asked on
                behalf of a rival, it first waits a moment for bytes if it had none yet. After a
                pause, for which the interrupt has to say that there may be one, it can be called
                again. ``PAUSED`` also says that there was one, and it is over.

        Raises:
            StorageError: The sink failed; what it took counts.
        """
        ...
