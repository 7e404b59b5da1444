"""A sink that hashes what passes through it."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import anyio.to_thread

from tusd_py import affinity

from .base import DirectSink, Sink
from .inlet import Inlet

# Bytes that a processor's cache holds from reading to hashing.
_PIECE = 256 * 1024

_hashers = ThreadPoolExecutor(os.cpu_count(), "tusd-py-hash", affinity.roam)


def hashing(sink: Sink, update: Callable[[bytes], None]) -> "HashingSink":
    """Make a sink that hashes and does all else that the given one does."""
    if isinstance(sink, DirectSink):
        return DirectHashingSink(sink, update)
    return HashingSink(sink, update)


class HashingSink:
    """Hands each batch to ``update`` in a worker thread, then on to the sink."""

    def __init__(self, sink: Sink, update: Callable[[bytes], None]) -> None:
        self._sink = sink
        self._update = update

    @property
    def offset(self) -> int:
        """Where the next byte goes."""
        return self._sink.offset

    async def write(self, batch: Sequence[bytes]) -> None:
        """Hash the batch and write it."""
        await anyio.to_thread.run_sync(self._hash, batch)
        await self._sink.write(batch)

    def _hash(self, batch: Sequence[bytes]) -> None:
        for chunk in batch:
            self._update(chunk)


class DirectHashingSink(HashingSink):
    """The same for a sink that takes bytes from a socket itself, unseen.

    They are read back while the next ones are taken: whoever hashes and whoever moves bytes are
    two threads, and what is verified is what was stored.
    """

    _sink: DirectSink

    def __init__(self, sink: DirectSink, update: Callable[[bytes], None]) -> None:
        super().__init__(sink, update)
        self._begin = self._end = 0
        self._hashing: Future[None] | None = None

    def take(self, inlet: Inlet, size: int) -> None:
        """Take what has come, and have it hashed."""
        before = self.offset
        self._sink.take(inlet, size)
        if self._hashing is None:
            self._begin = before
        self._end = self.offset
        if self._hashing is not None and self._hashing.done():
            self._hashing.result()
            self._hashing = None
        if self._hashing is None:
            self._hashing = _hashers.submit(self._catch_up)

    def settle(self) -> None:
        """Wait until all that was taken is hashed."""
        try:
            self._sink.settle()
        finally:
            if self._hashing is not None:
                hashing, self._hashing = self._hashing, None
                hashing.result()
                # It may have been about to end when the last bytes came.
                self._catch_up()

    def read_back(self, offset: int, size: int) -> bytes:
        """Read some of what was taken."""
        return self._sink.read_back(offset, size)

    def _catch_up(self) -> None:
        while self._begin < self._end:
            data = self.read_back(self._begin, min(self._end - self._begin, _PIECE))
            self._update(data)
            self._begin += len(data)
