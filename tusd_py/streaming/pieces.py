"""What is read of a download and has to wait in memory until the client takes it."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Final

from .buffers import BufferSize

# Where nobody knows how much the kernel takes, more than this could wait for a slow client.
BLIND: Final = 128 * 1024


def _unnoticed() -> None:
    """Take no notice of what is held."""


class Pieces:
    """The pieces in which one connection's downloads are read, where the kernel does not send them.

    A client that stops reading leaves in memory what was read for it, so no more is read at once
    than the kernel has room for.

    Args:
        size: The size of this connection's buffers.
        room: Tells how many bytes the kernel takes now.
        counted: Called when the budget has changed.

    Attributes:
        size: The size.
    """

    def __init__(
        self,
        size: BufferSize,
        room: Callable[[], int],
        counted: Callable[[], None] = _unnoticed,
    ) -> None:
        self.size = size
        self._room = room
        self._counted = counted

    def next_size(self) -> int:
        """How many bytes to read at once; any thread may ask."""
        return self.size.to_send(self._room())

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """Count a piece, until it was sent or given up."""
        self.size.budget.send(size)
        self._counted()
        try:
            yield
        finally:
            self.size.budget.sent(size)
            self._counted()
            self.size.moved(size)

    async def counted(self, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """Pass pieces on, each of which is held until the next one is asked for."""
        async with aclosing(pieces):
            async for piece in pieces:
                with self.held(len(piece)):
                    yield piece
