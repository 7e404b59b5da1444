"""What our serving class offers an application beyond ASGI, through the scope's extensions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .buffers import BufferSize
from .pieces import Pieces

EXTENSION = "tusd_py.connection"
# ASGI's own extensions for sending parts of files and whole ones, and the types of their messages.
ZERO_COPY = "http.response.zerocopysend"
PATH_SEND = "http.response.pathsend"


class SocketBody(Protocol):
    """What is missing of a body, in the hands of who takes it from the socket.

    Attributes:
        first: Bytes that were read already; they come before all others.
        missing: How many bytes come after these.
        fd: The socket's descriptor, which does not block. Nobody else reads from it.
        lost: The connection has ended on our side.
    """

    first: bytes
    missing: int
    fd: int
    lost: bool

    def give_back(self, missing: int) -> None:
        """Let go of the socket; so many bytes of the body were not read."""
        ...


@dataclass(slots=True)
class Kept:
    """What is known of a connection from one request to the next.

    Attributes:
        incoming: The size of its buffers for bodies.
        outgoing: The same for downloads.
    """

    incoming: BufferSize | None = None
    outgoing: BufferSize | None = None


class Connection(Protocol):
    """The connection of one request."""

    @property
    def kept(self) -> Kept:
        """What is kept for further requests of the same connection."""
        ...

    def room(self) -> int:
        """Tell how many bytes of an answer the kernel takes now, as far as it can be told."""
        ...

    @property
    def trailers(self) -> Sequence[tuple[bytes, bytes]]:
        """The request's trailers so far: lower-case names, values. Complete after the body."""
        ...

    def on_shutdown(self, callback: Callable[[], None]) -> None:
        """Call back, in the event loop, when the server is told to stop; at once if it was."""
        ...

    def undelivered(self) -> int:
        """Tell how many bytes have arrived and were not received yet, in the kernel too."""
        ...

    def on_sent(self, callback: Callable[[int], None]) -> None:
        """Call back, in the event loop, with how many bytes of files were sent, while they are."""
        ...

    def send_in(self, pieces: Pieces) -> None:
        """Send files in such pieces."""
        ...

    def hand_over(self, limit: int | None) -> SocketBody | None:
        """Give the rest of the body to who takes it from the socket, and gives it back.

        Args:
            limit: How many bytes are wanted; None is all.

        Returns:
            None where it cannot be had in this way, or it is not worth it: ``receive()`` goes on.
        """
        ...

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes:
        """Read an option of the socket, such as what the kernel knows of the connection.

        Raises:
            OSError: There is no such option, or no socket any more.
        """
        ...

    def complete(self) -> bool:
        """Tell whether all of the body has arrived, so that ``receive()`` never waits."""
        ...
