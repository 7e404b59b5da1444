"""The rest of a body, handed to who takes it from the socket."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Sequence

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# With fewer bytes to come it is not worth it.
SMALLEST = 256 * 1024

Header = tuple[bytes, bytes]


class HandedOver:
    """Implements ``streaming.connection.SocketBody`` with a duplicate of a transport's socket.

    The event loop's transport owns its own descriptor, and must not read meanwhile.

    Args:
        duplicate: The socket.
        first: The bytes of the body that were read already.
        missing: How many come after these.
        given_back: Called with how many of these were read, and how many were not.
    """

    def __init__(
        self,
        duplicate: socket.socket,
        first: bytes,
        missing: int,
        given_back: Callable[[int, int], None],
    ) -> None:
        self.first = first
        self.missing = missing
        self.fd = duplicate.fileno()
        self.lost = False
        self._socket = duplicate
        self._given_back = given_back

    def give_back(self, missing: int) -> None:
        """See ``SocketBody``."""
        # First of all: as long as a duplicate is open, closing the connection does not end it.
        self._socket.close()
        self._given_back(self.missing - missing, missing)
        # It leads to the protocol, and tracebacks lead here.
        self._given_back = _nothing

    def lose(self) -> None:
        """The connection has ended; who waits for bytes wakes up."""
        self.lost = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def _nothing(_taken: int, _left: int) -> None:
    """Done before."""


def duplicate_of(transport: asyncio.BaseTransport) -> socket.socket | None:
    """Another socket of the same connection; None where there is none to be had.

    It is a luxury, and not taken when half of the files that this process may open are open.
    """
    if sys.platform == "win32" or transport.get_extra_info("sslcontext") is not None:
        return None
    original = transport.get_extra_info("socket")
    if original is None or transport.is_closing():
        return None
    try:
        fd = os.dup(original.fileno())
    except OSError:
        return None
    if fd >= _plenty():
        os.close(fd)
        return None
    return socket.socket(fileno=fd)


def _plenty() -> int:
    """How many open files leave enough for others, who cannot do without."""
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit // 2


def missing(cycle: RequestResponseCycle, arrived: int, limit: int | None) -> int:
    """How many bytes of a body are still to come, if it can and should be handed over; else 0.

    Args:
        cycle: The request, which is the last one that was read.
        arrived: How many bytes of the body were read.
        limit: How many bytes are wanted, of those that were read and not received too.
    """
    if not cycle.more_body or cycle.disconnected:
        return 0
    length = _content_length(list(cycle.scope["headers"]))
    if length is None or length - arrived < SMALLEST:
        return 0
    return 0 if limit is not None and limit <= len(cycle.body) else length - arrived


def begin(cycle: RequestResponseCycle) -> bytes:
    """Take what was read of a body and not received, and do what ``receive()`` does at first."""
    if cycle.waiting_for_100_continue:
        cycle.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        cycle.waiting_for_100_continue = False
    first, cycle.body = bytes(cycle.body), bytearray()
    return first


def new_parser(protocol: HttpToolsProtocol) -> httptools.HttpRequestParser:
    """Make a parser as uvicorn does."""
    parser = httptools.HttpRequestParser(protocol)
    if hasattr(parser, "set_dangerous_leniencies"):
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def _content_length(headers: Sequence[Header]) -> int | None:
    names = [name for name, _ in headers]
    if b"transfer-encoding" in names or names.count(b"content-length") != 1:
        return None
    value = headers[names.index(b"content-length")][1].strip(b" \t")
    return int(value) if value.isdigit() else None
