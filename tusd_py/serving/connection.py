"""One request on one connection, as the application sees it beyond ASGI."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

from uvicorn._types import ASGIReceiveEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tusd_py.streaming.base import Moved, nobody_counts
from tusd_py.streaming.connection import ZERO_COPY, SocketBody

HandOver = Callable[["HttpConnection", int | None], SocketBody | None]
SendPart = Callable[[RequestResponseCycle, Mapping[str, Any], Moved], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class HttpConnection:
    """Implements ``streaming.connection.Connection`` for a request of uvicorn's.

    Besides, it stands between the application and uvicorn's cycle: it delivers what arrived before
    a disconnect, keeps a refused connection open until the rest of its body has been read, and
    sends parts of files.

    Args:
        hand_over: What ``hand_over`` does.
        send_part: Sends the part of a file that a message names.
        stopping: The server was told to stop already.

    Attributes:
        lingers: It is closed once the body has been read.
        arrived: How many bytes of the body were read.
    """

    def __init__(self, hand_over: HandOver, send_part: SendPart, *, stopping: bool) -> None:
        self.arrived = 0
        self._hand_over: HandOver | None = hand_over
        self._send_part: SendPart | None = send_part
        self.trailers: list[tuple[bytes, bytes]] = []
        self.lingers = False
        self._stopping = stopping
        self._callbacks: list[Callable[[], None]] = []
        self._cycle: RequestResponseCycle | None = None
        self._sent: Moved = nobody_counts

    def on_sent(self, callback: Moved) -> None:
        """See ``Connection``."""
        self._sent = callback

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
        return len(self._cycle.body) + _unread(self._cycle.transport)

    def hand_over(self, limit: int | None) -> SocketBody | None:
        """See ``Connection``."""
        return self._hand_over(self, limit) if self._hand_over is not None else None

    def complete(self) -> bool:
        """See ``Connection``."""
        return self._cycle is not None and not self._cycle.more_body

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
                self._cycle = self._hand_over = self._send_part = None

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
                await self._send_part(cycle, message, self._sent)
            more = message.get("more_body", False)
            message = {"type": "http.response.body", "body": b"", "more_body": more}
        await cycle.send(message)
        if message["type"] == "http.response.start" and cycle.more_body and not cycle.keep_alive:
            # uvicorn would close right after the answer, and the client, still sending, would see
            # a reset instead of it. The protocol closes when the body has been read.
            cycle.keep_alive = True
            self.lingers = True

    def _open_cycle(self) -> RequestResponseCycle:
        if self._cycle is None:
            raise RuntimeError("The request has not begun.")
        return self._cycle


def _unread(transport: asyncio.Transport) -> int:
    """How many bytes the kernel holds for us, where it can be asked."""
    connection = transport.get_extra_info("socket")
    if connection is None or transport.is_closing() or sys.platform == "win32":
        return 0
    from fcntl import ioctl
    from termios import FIONREAD

    answer = ioctl(connection.fileno(), FIONREAD, bytes(4))
    return int.from_bytes(answer, sys.byteorder)
