"""One request on one connection, as the application sees it beyond ASGI."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Self

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tusd_py.streaming.connection import SocketBody

HandOver = Callable[["HttpConnection", int | None], SocketBody | None]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class HttpConnection:
    """Implements ``streaming.connection.Connection`` for a request of uvicorn's.

    Besides, it stands between the application and uvicorn's cycle: it delivers what arrived before
    a disconnect, and keeps a refused connection open until the rest of its body has been read.

    Args:
        hand_over: What ``hand_over`` does.
        stopping: The server was told to stop already.

    Attributes:
        lingers: It is closed once the body has been read.
        arrived: How many bytes of the body were read.
    """

    def __init__(self, hand_over: HandOver, *, stopping: bool) -> None:
        self.arrived = 0
        self._hand_over: HandOver | None = hand_over
        self.trailers: list[tuple[bytes, bytes]] = []
        self.lingers = False
        self._stopping = stopping
        self._callbacks: list[Callable[[], None]] = []
        self._cycle: RequestResponseCycle | None = None

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
                self._cycle = self._hand_over = None

        return wrapped

    async def _receive(self) -> ASGIReceiveEvent:
        cycle = self._open_cycle()
        message = await cycle.receive()
        # uvicorn forgets what it holds when the client goes; those bytes did arrive.
        if message["type"] == "http.disconnect" and cycle.disconnected and cycle.body:
            body, cycle.body = bytes(cycle.body), bytearray()
            return {"type": "http.request", "body": body, "more_body": cycle.more_body}
        return message

    async def _send(self, message: ASGISendEvent) -> None:
        cycle = self._open_cycle()
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
