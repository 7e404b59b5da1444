"""A sink that hashes what passes through it."""

from collections.abc import Callable, Sequence

import anyio.to_thread

from .base import Sink


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
