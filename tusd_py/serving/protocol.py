"""The protocol class for uvicorn: what uploads need and ASGI has no words for.

It builds on uvicorn's ``HttpToolsProtocol``, whose inner workings change with minor versions: the
version is pinned, and ``tests/serving`` holds everything that is relied on.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tusd_py.streaming.base import Moved
from tusd_py.streaming.buffers import BufferSize
from tusd_py.streaming.connection import EXTENSION, ZERO_COPY, Kept
from tusd_py.streaming.pieces import Pieces
from tusd_py.threads import WorkerThreads

from . import handover
from .connection import HttpConnection
from .handover import HandedOver
from .outlet import Outlet
from .readers import Reader
from .sending import Sending, flushed, send_part

# After an early answer, the rest of a body is read and thrown away within these bounds, so that a
# client that sends first and reads later gets the answer.
DRAIN_BYTES = 64 * 1024 * 1024
DRAIN_SECONDS = 10.0
DRAIN_SECONDS_AT_THE_END = 1.0
# Chromium sends a request again whose connection broke, whole, and reads no answer before its end.
# That is a 409, and clients ask for the offset when a connection breaks as they do after that.
DRAIN_SECONDS_AFTER_CONFLICT = 1.0

# When the server stops, a client that reads nothing for so long is not waited for.
READ_SECONDS_AT_THE_END = 1.0

# For files that go straight to sockets: each takes one only while its client keeps reading.
_SENDING_THREADS = 4

# Requests that a client may send ahead of their answers.
MOST_PIPELINED = 1000

_BAD_REQUEST = b"400 Bad Request"
_TOO_LARGE = b"431 Request Header Fields Too Large"
_TOO_SLOW = b"408 Request Timeout"


class TusProtocol(HttpToolsProtocol):
    """Serves one connection; see ``protocol_class`` for how uvicorn gets it.

    Beyond its base it delivers request trailers and every byte that arrived before a disconnect,
    limits the time and size of headers, drains what follows an early answer, cuts off a client
    that does not read its answers, tells running requests at once that the server stops, reads a
    request that asks for an upgrade as one that does not, and has the kernel send files.
    """

    threads = WorkerThreads(_SENDING_THREADS, "tusd-py-send")
    header_timeout = 10.0
    read_timeout = 60.0
    max_header_size = 64 * 1024

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self._connection: HttpConnection | None = None
        self._reader: Reader | None = None
        self._running: set[HttpConnection] = set()
        self._header_size = 0
        self._silent_size = 0
        self._begun = False
        self._in_headers = True
        self._refused = False
        self._refusal: bytes | None = None
        self._stopping = False
        self._drained = 0
        self._handed: HandedOver | None = None
        self._sending: Sending | None = None
        self._extensions: dict[str, Any] = {}
        self._kept = Kept()
        # Bytes of a body that come behind those that were taken from the socket.
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._reader = Reader(transport, self.loop)
        if self.scheme != "https" and hasattr(os, "sendfile") and sys.platform != "win32":
            self._extensions = {ZERO_COPY: {}}
        self._set_timer(self.header_timeout, self._headers_are_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """End with the connection."""
        self._stop_timer()
        if self._handed is not None:
            self._handed.lose()
        if self._sending is not None:
            self._sending.lose()
        if self._reader is not None:
            self._reader.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        self._silent_size += len(data)
        self._unset_keepalive_if_required()
        if self._left:
            data = self._take_left(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._read_on(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(_BAD_REQUEST)
        # Most requests have their headers in one piece, and need no timer.
        if self._begun and self._in_headers and self._timer is None:
            self._set_timer(self.header_timeout, self._headers_are_late)
        # The parser keeps a header in memory until it is whole, however long it gets.
        if max(self._header_size, self._silent_size) > self.max_header_size:
            self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._begun = self._in_headers = True
        self._header_size = self._silent_size = 0
        self._connection = HttpConnection(
            self._hand_over, self._send_part, self._kept, stopping=self._stopping
        )
        scope: Any = self.scope
        scope["extensions"] = {EXTENSION: self._connection, **self._extensions}

    def on_url(self, url: bytes) -> None:
        """Take a piece of the URL."""
        self._header_size += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or after the body a trailer."""
        self._header_size += len(name) + len(value)
        self._silent_size = 0
        if self._in_headers or self._connection is None:
            super().on_header(name, value)
        elif self._header_size <= self.max_header_size:
            self._connection.trailers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Start the application, if the headers were of bearable size."""
        self._in_headers = False
        self._stop_timer()
        if self._header_size > self.max_header_size:
            self._refuse(_TOO_LARGE)
        elif len(self.pipeline) >= MOST_PIPELINED:
            self._refuse(_BAD_REQUEST)
        elif not self._refused and not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body, or throw it away if the answer is out."""
        self._silent_size = 0
        if self._refused:
            return
        if self._connection is not None:
            self._connection.arrived += len(body)
        if self.cycle.response_complete:
            self._drain(len(body))
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the body."""
        self._silent_size = 0
        if self._refused or self.parser.should_upgrade():
            return
        super().on_message_complete()
        self._begun, self._in_headers = False, True
        if self.cycle.response_complete:
            self._end_drain()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered."""
        super().pause_writing()
        self._watch_reader(self.read_timeout)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        if self._reader is not None:
            self._reader.progressed()

    def on_response_complete(self) -> None:
        """The answer is out; what is left of the body is drained."""
        super().on_response_complete()
        if self._refusal is not None and self.cycle.response_complete:
            self._close_with(self._refusal)
        self._watch_reader(self.read_timeout)
        if self.pipeline:
            # uvicorn reads on as soon as one of them is answered.
            self.flow.pause_reading()
        unread = self.cycle.response_complete and self.cycle.more_body
        if unread and not self.transport.is_closing():
            # Against those that trickle. uvicorn's keep-alive timer waits for the next request.
            self._unset_keepalive_if_required()
            self._drained = 0
            self._set_timer(self._drain_seconds(), self.transport.close)

    def shutdown(self) -> None:
        """The server was told to stop: running requests hear of it at once."""
        self._stopping = True
        super().shutdown()
        for connection in tuple(self._running):
            connection.shut_down()
        self._watch_reader(READ_SECONDS_AT_THE_END)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        scope: Any = cycle.scope
        connection: HttpConnection = scope["extensions"][EXTENSION]
        self._running.add(connection)
        ended = self._running.discard
        super()._start_asgi_task(cycle, connection.wrap(cycle, app, ended))

    def _hand_over(self, connection: HttpConnection, limit: int | None) -> HandedOver | None:
        if connection is not self._connection:
            return None
        missing = handover.missing(self.cycle, connection.arrived, limit)
        duplicate = handover.duplicate_of(self.transport) if missing else None
        if duplicate is None:
            return None
        self.flow.pause_reading()
        first = handover.begin(self.cycle)
        self._handed = HandedOver(duplicate, first, missing, self._take_back)
        return self._handed

    async def _send_part(
        self,
        cycle: RequestResponseCycle,
        message: Mapping[str, Any],
        sent: Moved,
        pieces: Pieces,
    ) -> None:
        await send_part(cycle, message, self.threads, self._send_past, sent, pieces)

    async def _send_past(
        self, cycle: RequestResponseCycle, outlet: Outlet, sent: Moved, size: BufferSize
    ) -> None:
        await flushed(self.transport, self.flow)
        duplicate = handover.duplicate_of(self.transport) if outlet.left else None
        if duplicate is None or self._reader is None:
            return
        # As long as a duplicate is open, closing the connection does not end it.
        with duplicate:
            self._sending = Sending(outlet, duplicate, self.threads, sent, size)
            self._reader.file = self._sending
            self._watch_reader(self.read_timeout)
            try:
                await self._sending.run()
            finally:
                self._sending = self._reader.file = None
        if outlet.ended:
            # uvicorn has not heard of it yet.
            cycle.disconnected = True
            self.transport.abort()

    def _take_back(self, taken: int, left: int) -> None:
        self._handed = None
        if self._connection is None or self.parser is None:
            # The connection has ended meanwhile.
            return
        self._connection.arrived += taken
        # The old one still waits for what was taken, the new one is for what follows the body.
        self.parser = handover.new_parser(self)
        self._left = left
        if not left:
            self.on_message_complete()

    def _take_left(self, data: bytes) -> bytes:
        """Take the rest of a body that was given back; returns what follows it."""
        body = data[: self._left]
        self._left -= len(body)
        self.on_body(body)
        if not self._left:
            self.on_message_complete()
        return data[len(body) :]

    def _read_on(self, rest: bytes) -> None:
        """Read a request whose upgrade we do not take up, as HTTP says: as if it had not asked.

        The parser stops at the headers of such a request and takes its body for another protocol,
        so another parser is given the headers without the upgrade, and the rest.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(_BAD_REQUEST)
            return
        lines = [b"%s %s HTTP/1.1" % (method, self.url)]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([*lines, b"", rest]))

    def _watch_reader(self, seconds: float) -> None:
        if self._reader is not None:
            seconds = min(seconds, READ_SECONDS_AT_THE_END) if self._stopping else seconds
            self._reader.watch(seconds)

    def _drain_seconds(self) -> float:
        if self._stopping:
            return DRAIN_SECONDS_AT_THE_END
        conflict = self._connection is not None and self._connection.status == HTTPStatus.CONFLICT
        return DRAIN_SECONDS_AFTER_CONFLICT if conflict else DRAIN_SECONDS

    def _drain(self, size: int) -> None:
        self._drained += size
        if self._drained > DRAIN_BYTES:
            self.transport.close()

    def _end_drain(self) -> None:
        self._stop_timer()
        if self._connection is not None and self._connection.lingers:
            self.transport.close()
        elif not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _headers_are_late(self) -> None:
        self._timer = None
        if self._begun:
            self._refuse(_TOO_SLOW)
        else:
            self.transport.close()

    def _refuse(self, status: bytes) -> None:
        self._refused = True
        # None before the first request, other than uvicorn's annotation has it.
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not (cycle.response_complete or cycle.more_body):
            # What came before was right, and is answered first.
            self._refusal = status
        else:
            self._close_with(status)

    def _close_with(self, status: bytes) -> None:
        if any(connection.answering() for connection in self._running):
            # It would be taken for a piece of the body.
            self.transport.abort()
        elif not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n"
                b"tus-resumable: 1.0.0\r\n\r\n"
            )
            self.transport.close()

    def _set_timer(self, seconds: float, callback: Any) -> None:  # noqa: ANN401 - a callback
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, callback)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def protocol_class(
    *, header_timeout: float, max_header_size: int, read_timeout: float = 60.0
) -> type[TusProtocol]:
    """Make the class to give to uvicorn as ``http=``.

    Args:
        header_timeout: Seconds that a client has to send a request's headers.
        max_header_size: The most bytes of a request's headers, and again of its trailers.
        read_timeout: Seconds in which a client has to take something of an answer.
    """
    settings = {
        "header_timeout": header_timeout,
        "max_header_size": max_header_size,
        "read_timeout": read_timeout,
    }
    return type("ConfiguredTusProtocol", (TusProtocol,), settings)
