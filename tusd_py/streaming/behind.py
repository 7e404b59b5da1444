"""Writing behind: one batch is written off the event loop while the next one fills."""

import asyncio

from .base import Moved, Sink, nobody_counts
from .buffers import FILL, SMALL, BufferSize

# An unfinished batch of a slow client is written after this time, in seconds, if it and the one
# before it are little together. A larger one is not held for longer than it was to take.
LINGER = 0.25


class WriteBehind:
    """Collects chunks into batches and writes each in a task of its own, one at a time.

    The first failure of the sink is raised by whichever method is called next.

    Args:
        sink: Where they are written.
        size: Of the batches.
        left: How many bytes there will be at most, if that is known.
        moved: Counts what was written.
    """

    def __init__(
        self,
        sink: Sink,
        size: BufferSize,
        *,
        left: int | None = None,
        moved: Moved = nobody_counts,
    ) -> None:
        self._sink = sink
        self._budget = size.budget
        self._size = size
        self._left = left
        self._moved = moved
        self._loop = asyncio.get_running_loop()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._linger: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    async def add(self, chunk: bytes) -> None:
        """Take a chunk; waits while two batches are held already, or the budget is spent."""
        if not self._pending:
            seconds = LINGER if self._size.bytes <= SMALL // 2 else FILL
            self._linger = self._loop.call_later(seconds, self._lingered)
        self._pending.append(chunk)
        self._pending_bytes += len(chunk)
        self._budget.take(len(chunk))
        if self._pending_bytes >= self._size.to_write(self._left):
            await self._written()
            self._flush()
        if self._budget.spent:
            # In a task, for unlike drain this can be cancelled, and what was taken is kept.
            await self._written()
            self._flush()
            await self._written()

    async def drain(self) -> None:
        """Wait until everything that was taken is in the sink. Not to be cancelled."""
        await self._written()
        if self._pending:
            await self._write(*self._take())

    def discard(self) -> None:
        """Forget what was not handed to the sink; the transfer has failed."""
        _, size = self._take()
        self._budget.give(size)

    async def _written(self) -> None:
        # More than once, if what lingered is written as soon as the way is free.
        while (writing := self._writing) is not None:
            # Unlike awaiting the task, this does not cancel a write when the transfer is cancelled.
            await asyncio.wait((writing,))
            if self._writing is not writing:
                continue
            self._writing = None
            if writing.exception() is not None:
                # What comes after a gap must not be written.
                self.discard()
            writing.result()

    def _lingered(self) -> None:
        if self._writing is None or self._writing.done():
            self._flush()
        else:
            self._linger = self._loop.call_later(FILL, self._lingered)

    def _flush(self) -> None:
        if self._writing is not None and self._writing.exception() is not None:
            # Left for add or drain to raise.
            return
        if self._pending:
            self._writing = self._loop.create_task(self._write(*self._take()))

    def _take(self) -> tuple[list[bytes], int]:
        self._stop_lingering()
        batch, size = self._pending, self._pending_bytes
        self._pending, self._pending_bytes = [], 0
        return batch, size

    async def _write(self, batch: list[bytes], size: int) -> None:
        try:
            await self._sink.write(batch)
        finally:
            self._budget.give(size)
        self._moved(size)
        self._size.moved(size)

    def _stop_lingering(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
