"""What a thread does for one transfer before it turns to another."""

import select
import time
from collections.abc import Callable

from tusd_py.threads import WorkerThreads

from .base import DirectSink, Interrupt
from .buffers import BufferSize
from .inlet import Inlet

# For so many seconds it moves what comes.
LONGEST = 0.02
# So long it waits for a client that sends or reads fast to go on.
PATIENCE = 0.005
# So many bytes at once make a client a fast one.
MANY = 64 * 1024


def take_turn(
    step: Callable[[], int | None], threads: WorkerThreads, fd: int, direction: int
) -> float:
    """Move bytes through a socket for as long as it goes on; call it in a worker thread.

    Args:
        step: Moves some and tells how many: 0 if the client has to do something first, None if
            there is nothing left to do.
        threads: Whoever waits for one of them is not to wait for a client.
        fd: The socket.
        direction: What the client is waited for with, ``select.POLLIN`` or ``select.POLLOUT``.

    Returns:
        The seconds of waiting for the client.
    """
    moved, waited = 0, 0.0
    end = time.monotonic() + LONGEST
    while time.monotonic() < end and (size := step()) is not None:
        moved += size
        if not size:
            if moved < MANY or threads.crowded:
                break
            waited += _wait(fd, direction)
    return waited


def _wait(fd: int, direction: int) -> float:
    began = time.monotonic()
    poll = select.poll()
    poll.register(fd, direction)
    poll.poll(PATIENCE * 1000)
    return time.monotonic() - began


class Turns:
    """Moves bytes from a socket into a sink for as long as they keep coming.

    Args:
        sink: Where they go.
        inlet: Where they come from.
        rest: Bytes of the body that are to stay in the inlet.
        interrupt: Once a stop is asked for, no more is read.
        threads: Where the work is done.
        size: Of one step.
    """

    def __init__(
        self,
        sink: DirectSink,
        inlet: Inlet,
        rest: int,
        interrupt: Interrupt,
        threads: WorkerThreads,
        size: BufferSize,
    ) -> None:
        self.inlet = inlet
        self._sink = sink
        self._rest = rest
        self._interrupt = interrupt
        self._threads = threads
        self._size = size

    @property
    def over(self) -> bool:
        """All that is to be moved was moved."""
        return self.inlet.left <= self._rest

    async def take(self) -> tuple[int, float]:
        """Take a turn; gives the bytes that were moved and the seconds of waiting for them.

        Raises:
            StorageError: The sink failed; what it took counts.
        """
        before = self.inlet.left
        waited = await self._threads.run(self._take)
        return before - self.inlet.left, waited

    def _take(self) -> float:
        try:
            return take_turn(self._step, self._threads, self.inlet.fd, select.POLLIN)
        finally:
            self._sink.settle()

    def _step(self) -> int | None:
        if self.over or self._interrupt.reason is not None:
            return None
        before = self.inlet.left
        self._sink.take(self.inlet, min(before - self._rest, self._size.bytes))
        return None if self.inlet.ended else before - self.inlet.left
