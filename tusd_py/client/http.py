"""One HTTP/1.1 connection, with eyes on how far a request has got.

It is written on h11 and asyncio's streams and not on a general client, for what matters here is
what those hide: how many bytes have left this machine, that an answer may come before the body is
sent, and that a connection can be dropped at once.
"""

import asyncio
import errno
import os
import socket
import ssl
import struct
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import h11

from .address import Address
from .dial import Streams, dial
from .errors import NotTrusted
from .stall import StallDetector

if TYPE_CHECKING:
    from tusd_py.network import Snapshot

_READ_SIZE: Final = 64 * 1024
_MOST_ANSWER: Final = 64 * 1024
# How often a request is looked at, in seconds: for progress and for silence.
_TICK: Final = 0.1
# How long an answer may take to arrive once the server has cut what was being sent.
_LAST_WORDS: Final = 1.0

_ENDS = (h11.EndOfMessage, h11.ConnectionClosed)

Delivered = Callable[[int], None]


class ConnectionLost(Exception):
    """There is no answer, and none will come on this connection; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long the parts of a request may take, in seconds."""

    connect: float
    stall: float
    answer: float


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a request."""

    length: int
    pieces: AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask.

    Attributes:
        method: Of HTTP.
        target: Path and query.
        headers: All but ``Host`` and ``Content-Length``.
        body: What to send, if anything.
        delivered: Called with how many bytes of the body have left this machine.
        answer_timeout: How long the server may think, in seconds, if not as long as usual.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: Body | None = None
    delivered: Delivered | None = None
    answer_timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """A connection that carries one request after the other."""

    def __init__(
        self,
        address: Address,
        streams: Streams,
        timeouts: Timeouts,
    ) -> None:
        self._address = address
        self._reader, self._writer = streams
        self._timeouts = timeouts
        self._http = h11.Connection(h11.CLIENT)
        self._handed_over = 0

    @classmethod
    async def open(
        cls,
        address: Address,
        timeouts: Timeouts,
        tls: ssl.SSLContext | None,
        interfaces: "Snapshot",
    ) -> Self:
        """Connect; see ``dial``.

        Raises:
            ConnectionLost: Nobody takes the connection.
            NotTrusted: The server's certificate does not hold.
        """
        try:
            async with asyncio.timeout(timeouts.connect):
                streams = await dial(address, tls, interfaces)
        except TimeoutError:
            raise ConnectionLost(f"no connection came about in {timeouts.connect:g} s") from None
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message or error.reason
            raise NotTrusted(f"The server's certificate does not hold: {why}.") from error
        except OSError as error:
            raise ConnectionLost(_why(error)) from error
        return cls(address, streams, timeouts)

    @property
    def usable(self) -> bool:
        """Another request can be sent."""
        return self._http.our_state is h11.IDLE and not self._writer.transport.is_closing()

    @property
    def local(self) -> str | None:
        """The address of this machine that it begins at; None if nobody knows any more."""
        name = self._writer.get_extra_info("sockname")
        return str(name[0]) if name else None

    def leads_to(self, address: Address) -> bool:
        """Whether requests to an address can go this way."""
        return self._address.origin == address.origin

    def abort(self) -> None:
        """Drop the connection at once, with all that is still to be sent."""
        self._writer.transport.abort()

    async def exchange(self, request: Request) -> Answer:
        """Send a request and return its answer, which may come before all was sent.

        Raises:
            ConnectionLost: There is none.
            UploadFailed: The body could not be read.
        """
        self._handed_over = 0
        head = self._http.send(self._head(request)) or b""
        sending = asyncio.create_task(self._send(head, request.body))
        receiving = asyncio.create_task(self._receive())
        try:
            await self._watched(sending, receiving, request)
            return receiving.result()
        except BaseException:
            self.abort()
            raise
        finally:
            await _ended(sending, receiving)
            self._make_ready()

    def _head(self, request: Request) -> h11.Request:
        headers = {"Host": self._address.host_header, **request.headers}
        if request.body is not None:
            headers["Content-Length"] = str(request.body.length)
        elif request.method == "POST":
            headers["Content-Length"] = "0"
        return h11.Request(
            method=request.method, target=request.target, headers=list(headers.items())
        )

    async def _send(self, head: bytes, body: Body | None) -> None:
        self._write(head)
        if body is None:
            self._http.send(h11.EndOfMessage())
            return
        async with aclosing(body.pieces) as pieces:
            async for piece in pieces:
                self._write(self._http.send(h11.Data(data=piece)) or b"")
                self._handed_over += len(piece)
                if self._handed_over == body.length:
                    # The answer may be here before this task goes on.
                    self._http.send(h11.EndOfMessage())
                await self._writer.drain()

    def _write(self, data: bytes) -> None:
        # asyncio loses what is written to a closed transport, and uvloop raises.
        if self._writer.transport.is_closing():
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        self._writer.write(data)

    async def _receive(self) -> Answer:
        head: h11.Response | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = await self._reader.read(_READ_SIZE)
                if not data and head is None:
                    raise ConnectionLost("the server closed the connection")
                self._http.receive_data(data)
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, _ENDS):
                break
            if len(body) > _MOST_ANSWER:
                self.abort()
                break
        return _answer(head, bytes(body))

    async def _watched(
        self, sending: asyncio.Task[None], receiving: asyncio.Task[Answer], request: Request
    ) -> None:
        """Wait for the answer, and give up when nothing moves any more."""
        clock = asyncio.get_running_loop().time
        detector = StallDetector(
            stall_timeout=self._timeouts.stall,
            answer_timeout=request.answer_timeout or self._timeouts.answer,
            now=clock(),
        )
        while not receiving.done():
            waited_for = {receiving} if sending.done() else {sending, receiving}
            await asyncio.wait(waited_for, timeout=_TICK, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and sending.exception() is not None:
                await _last_words(sending.exception(), receiving)
            waiting = self._waiting()
            if request.delivered is not None:
                request.delivered(max(0, self._handed_over - waiting))
            silent = detector.stalled(
                clock(),
                self._handed_over - waiting,
                all_delivered=sending.done() and not waiting,
            )
            if silent is not None and not receiving.done():
                raise ConnectionLost(f"nothing got through for {silent:.0f} s")
        _translate(receiving.exception())

    def _waiting(self) -> int:
        """Bytes that are still on this machine."""
        return self._writer.transport.get_write_buffer_size() + _unacknowledged(self._writer)

    def _make_ready(self) -> None:
        """Let the connection carry another request, if both sides are done with this one."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self.abort()


def _answer(head: h11.Response | None, body: bytes) -> Answer:
    if head is None:
        raise ConnectionLost("the server ended without an answer")
    headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
    return Answer(head.status_code, headers, body)


async def _last_words(error: BaseException | None, receiving: asyncio.Task[Answer]) -> None:
    """Wait for the answer of a server that cut the body short.

    Raises:
        ConnectionLost: None came.
        Exception: The body could not be read; there is nothing to wait for.
    """
    if not isinstance(error, OSError):
        if error is not None:
            raise error
        return
    await asyncio.wait({receiving}, timeout=_LAST_WORDS)
    if not receiving.done():
        raise ConnectionLost(_why(error))


def _translate(error: BaseException | None) -> None:
    if isinstance(error, OSError):
        raise ConnectionLost(_why(error)) from error
    if isinstance(error, h11.RemoteProtocolError):
        raise ConnectionLost("what came back is no whole HTTP answer") from error


async def _ended(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _why(error: OSError) -> str:
    """The reason in words that follow "because"."""
    if isinstance(error, socket.gaierror) or error.errno is None:
        return (error.strerror or str(error) or "the connection broke").rstrip(".")
    # asyncio puts an address in the place of the system's words.
    return os.strerror(error.errno)


def _unacknowledged(writer: asyncio.StreamWriter) -> int:
    """Bytes that the kernel has and the other side's has not confirmed, where this one tells."""
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    connection = writer.get_extra_info("socket")
    if connection is None:
        # uvloop forgets it when the transport is closed.
        return 0
    try:
        # SIOCOUTQ has the number of TIOCOUTQ.
        return int(struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4))[0])
    except (OSError, ValueError):
        return 0
