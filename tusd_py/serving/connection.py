"""One request on one connection, as the application sees it beyond ASGI."""

import errno
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

from uvicorn._types import ASGIReceiveEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tusd_py.config import Config, Streaming
from tusd_py.streaming.base import Moved, nobody_counts
from tusd_py.streaming.budget import BufferBudget
from tusd_py.streaming.buffers import BufferSize
from tusd_py.streaming.connection import ZERO_COPY, Kept, SocketBody
from tusd_py.streaming.pieces import Pieces

from . import kernel
from .sending import flushed

HandOver = Callable[["HttpConnection", int | None], SocketBody | None]
SendPart = Callable[[RequestResponseCycle, Mapping[str, Any], Moved, Pieces], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class HttpConnection:
    """Implements ``streaming.connection.Connection`` for a request of uvicorn's.

    Besides, it stands between the application and uvicorn's cycle: it delivers what arrived before
    a disconnect, keeps a refused connection open until the rest of its body has been read, and
    sends parts of files.

    Args:
        hand_over: What ``hand_over`` does.
        send_part: Sends the part of a file that a message names.
        kept: What is known of the connection.
        stopping: The server was told to stop already.

    Attributes:
        status: That of the answer, once it has begun.
        lingers: It is closed once the body has been read.
        arrived: How many bytes of the body were read.
    """

    def __init__(
        self, hand_over: HandOver, send_part: SendPart, kept: Kept, *, stopping: bool
    ) -> None:
        self.arrived = 0
        self.kept = kept
        self._hand_over: HandOver | None = hand_over
        self._send_part: SendPart | None = send_part
        self.trailers: list[tuple[bytes, bytes]] = []
        self.status: int | None = None
        self.lingers = False
        self._stopping = stopping
        self._callbacks: list[Callable[[], None]] = []
        self._cycle: RequestResponseCycle | None = None
        self._sent: Moved = nobody_counts
        self._pieces: Pieces | None = None

    def on_sent(self, callback: Moved) -> None:
        """See ``Connection``."""
        self._sent = callback

    def send_in(self, pieces: Pieces) -> None:
        """See ``Connection``."""
        self._pieces = pieces

    def on_shutdown(self, callback: Callable[[], None]) -> None:
        """See ``Connection``."""
        if self._stopping:
            callback()
        else:
            self._callbacks.append(callback)

    def shut_down(self) -> None:
        """Tell the application that the server was told to stop."""
        self._stopping = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def answering(self) -> bool:
        """Tell whether the answer has begun and not ended."""
        cycle = self._cycle
        return cycle is not None and cycle.response_started and not cycle.response_complete

    def undelivered(self) -> int:
        """See ``Connection``."""
        if self._cycle is None:
            return 0
        return len(self._cycle.body) + kernel.unread(self._cycle.transport)

    def room(self) -> int:
        """See ``Connection``."""
        return kernel.room(self._cycle.transport) if self._cycle is not None else 0

    def hand_over(self, limit: int | None) -> SocketBody | None:
        """See ``Connection``."""
        return self._hand_over(self, limit) if self._hand_over is not None else None

    def complete(self) -> bool:
        """See ``Connection``."""
        return self._cycle is not None and not self._cycle.more_body

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes:
        """See ``Connection``."""
        transport = self._cycle.transport if self._cycle is not None else None
        if transport is None or transport.is_closing():
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        value: bytes = transport.get_extra_info("socket").getsockopt(level, option, size)
        return value

    def wrap(
        self, cycle: RequestResponseCycle, app: Application, ended: Callable[[Self], None]
    ) -> Application:
        """Make an application that runs ``app`` with ``receive`` and ``send`` of this class."""
        self._cycle = cycle

        async def wrapped(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401, ARG001 - ASGI
            try:
                await app(scope, self._receive, self._send)
            finally:
                ended(self)
                # The scope leads here, and these to the scope: nobody has to look for that.
                self._cycle = self._hand_over = self._send_part = self._pieces = None

        return wrapped

    async def _receive(self) -> ASGIReceiveEvent:
        cycle = self._open_cycle()
        message = await cycle.receive()
        # uvicorn forgets what it holds when the client goes; those bytes did arrive.
        if message["type"] == "http.disconnect" and cycle.disconnected and cycle.body:
            body, cycle.body = bytes(cycle.body), bytearray()
            return {"type": "http.request", "body": body, "more_body": cycle.more_body}
        return message

    async def _send(self, message: Any) -> None:  # noqa: ANN401 - ASGI, with an extension
        cycle = self._open_cycle()
        if message["type"] == ZERO_COPY and cycle.response_started and self._send_part is not None:
            if cycle.scope["method"] != "HEAD" and not cycle.disconnected:
                pieces = self._pieces or _unshared(self.room)
                await self._send_part(cycle, message, self._sent, pieces)
            more = message.get("more_body", False)
            message = {"type": "http.response.body", "body": b"", "more_body": more}
        self.status = message.get("status", self.status)
        await cycle.send(message)
        if message.get("more_body", False) and cycle.transport.get_extra_info("sslcontext") is None:
            # What waits for the client is one piece, and the next one is not read before.
            await flushed(cycle.transport, cycle.flow)
        if message["type"] == "http.response.start" and cycle.more_body and not cycle.keep_alive:
            # uvicorn would close right after the answer, and the client, still sending, would see
            # a reset instead of it. The protocol closes when the body has been read.
            cycle.keep_alive = True
            self.lingers = True

    def _open_cycle(self) -> RequestResponseCycle:
        if self._cycle is None:
            raise RuntimeError("The request has not begun.")
        return self._cycle


def _unshared(room: Callable[[], int]) -> Pieces:
    """Pieces for an application that has no wishes."""
    budget = BufferBudget(Config().buffer_budget)
    return Pieces(BufferSize(budget, Streaming()), room)
