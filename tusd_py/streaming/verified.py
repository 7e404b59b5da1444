"""A sink that hashes what passes through it."""

from collections.abc import Callable, Sequence

import anyio.to_thread

from .base import DirectSink, Sink
from .inlet import Inlet


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
    """The same for a sink that takes bytes from a socket itself."""

    _sink: DirectSink

    def __init__(self, sink: DirectSink, update: Callable[[bytes], None]) -> None:
        super().__init__(sink, update)

    def take(self, inlet: Inlet, size: int) -> None:
        """Hash what has come and write it."""
        inlet.tap = self._update
        self._sink.take(inlet, size)
