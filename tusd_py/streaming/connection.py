"""What our serving class offers an application beyond ASGI, through the scope's extensions."""

from collections.abc import Callable, Sequence
from typing import Protocol

EXTENSION = "tusd_py.connection"


class Connection(Protocol):
    """The connection of one request."""

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

    def complete(self) -> bool:
        """Tell whether all of the body has arrived, so that ``receive()`` never waits."""
        ...
