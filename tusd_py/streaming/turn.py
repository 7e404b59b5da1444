"""What a thread does for one transfer before it turns to another."""

import select
import time

from tusd_py.threads import WorkerThreads

from .base import DirectSink, Interrupt
from .inlet import Inlet

# For so many seconds it moves what comes.
LONGEST = 0.02
# So long it waits for the next bytes of a client that sends fast.
PATIENCE = 0.005
# So many bytes at once make a client a fast one.
MANY = 64 * 1024
# The most bytes of one read.
PIECE = 1024 * 1024


class Turns:
    """Moves bytes from a socket into a sink for as long as they keep coming.

    Args:
        sink: Where they go.
        inlet: Where they come from.
        rest: Bytes of the body that are to stay in the inlet.
        interrupt: Once a stop is asked for, no more is read.
        threads: Where the work is done.
    """

    def __init__(
        self,
        sink: DirectSink,
        inlet: Inlet,
        rest: int,
        interrupt: Interrupt,
        threads: WorkerThreads,
    ) -> None:
        self.inlet = inlet
        self._sink = sink
        self._rest = rest
        self._interrupt = interrupt
        self._threads = threads

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
            return self._move(time.monotonic() + LONGEST)
        finally:
            self._sink.settle()

    def _move(self, end: float) -> float:
        inlet, before, waited = self.inlet, self.inlet.left, 0.0
        while not self.over and self._interrupt.reason is None and time.monotonic() < end:
            self._sink.take(inlet, min(inlet.left - self._rest, PIECE))
            if inlet.ended:
                break
            if inlet.dry:
                slow = before - inlet.left < MANY
                if slow or self._threads.crowded:
                    break
                waited += self._wait()
        return waited

    def _wait(self) -> float:
        began = time.monotonic()
        poll = select.poll()
        poll.register(self.inlet.fd, select.POLLIN)
        poll.poll(PATIENCE * 1000)
        return time.monotonic() - began
