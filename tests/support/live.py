"""A real server in a thread of the test process, and a bare connection to it."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from tests.support.proxy import reset, unacknowledged

_PATIENCE = 10.0


class LiveServer(uvicorn.Server):
    """uvicorn on a free loopback port, until the ``with`` block of ``live`` ends."""

    port = 0
    loop: asyncio.AbstractEventLoop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Remember the loop, for those who look in from another thread."""
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def tell_to_stop(self) -> None:
        """Do what the first signal does."""
        self.should_exit = True


@contextmanager
def live(app: Any, **settings: Any) -> Iterator[LiveServer]:  # noqa: ANN401 - uvicorn's settings
    """Serve an ASGI application from another thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    defaults: dict[str, Any] = {"log_config": None, "lifespan": "on", "ws": "none"}
    server = LiveServer(uvicorn.Config(app, **{**defaults, **settings}))
    server.port = listener.getsockname()[1]
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield server
    finally:
        server.tell_to_stop()
        thread.join(_PATIENCE)
        listener.close()


def _wait_until_started(server: LiveServer, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("The server did not start.")
        time.sleep(0.005)


@dataclass
class WireResponse:
    """What came back: names in lower case in ``headers``, everything as it was in ``lines``."""

    status: int
    headers: dict[str, str]
    body: bytes
    lines: list[str]


class Wire:
    """One connection, byte for byte.

    Args:
        place: The port to connect to, or the socket file; or what is connected already.
        receive_buffer: How many bytes the kernel takes for who does not read, if that matters.
    """

    def __init__(
        self, place: int | Path | socket.socket, *, receive_buffer: int | None = None
    ) -> None:
        self._buffer = bytearray()
        if isinstance(place, socket.socket):
            self.socket = place
            return
        on_file = isinstance(place, Path)
        self.socket = socket.socket(socket.AF_UNIX if on_file else socket.AF_INET)
        self.socket.settimeout(_PATIENCE)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.connect(str(place) if on_file else ("127.0.0.1", place))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(b"".join(parts))

    def wait_until_arrived(self) -> None:
        """Wait until the other side's kernel has acknowledged everything that was sent."""
        deadline = time.monotonic() + _PATIENCE
        while unacknowledged(self.socket):
            if time.monotonic() > deadline:
                raise RuntimeError("The other side does not take what was sent.")
            time.sleep(0.001)

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> "WireResponse":
        """Send a tus request with a ``Content-Length`` and read the answer."""
        self.send(head(method, path, content_length=str(len(body)), **headers), body)
        return self.response(bodiless=method == "HEAD")

    def response(self, *, bodiless: bool = False) -> WireResponse:
        """Read one response."""
        while b"\r\n\r\n" not in self._buffer:
            self._receive()
        top, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines)
        headers = {name.lower(): value for name, value in pairs}
        length = 0 if bodiless else int(headers.get("content-length", "0"))
        while len(self._buffer) < length:
            self._receive()
        body, self._buffer = bytes(self._buffer[:length]), self._buffer[length:]
        return WireResponse(int(first.split(" ")[1]), headers, body, lines)

    def reset(self) -> None:
        """Cut the connection with a RST."""
        reset(self.socket)

    def closed(self) -> bool:
        """Wait for the server to close; tells whether it did so without sending more."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _receive(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("The server closed the connection.")
        self._buffer += data


class Cut(ConnectionError):
    """A process that had accepted a connection was killed.

    Attributes:
        port: The client's, by which the process can be told.
    """

    def __init__(self, port: int) -> None:
        super().__init__(f"the connection from port {port} was cut")
        self.port = port


@contextmanager
def connected(port: int) -> Iterator[Wire]:
    """A connection to the server.

    Raises:
        Cut: It ended before an answer came.
        ConnectionError: Nobody listens.
    """
    with Wire(port) as wire:
        own = wire.socket.getsockname()[1]
        try:
            yield wire
        except ConnectionError as error:
            raise Cut(own) from error


def head(method: str, path: str, **headers: str) -> bytes:
    """The head of a tus request; underscores in names become hyphens, None leaves one out."""
    everything = {"host": "testserver", "tus_resumable": "1.0.0", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in everything.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")


def created(port: int, length: int) -> str:
    """Create an upload of so many bytes and return its path."""
    with Wire(port) as wire:
        response = wire.request("POST", "/files/", upload_length=str(length))
    assert 201 == response.status
    return "/" + response.headers["location"].split("/", 3)[3]


def patch_head(path: str, length: int, **headers: str) -> bytes:
    """The head of a PATCH that appends so many bytes to an empty upload."""
    return head(
        "PATCH",
        path,
        upload_offset="0",
        content_type="application/offset+octet-stream",
        content_length=str(length),
        **headers,
    )


def uploaded(port: int, data: bytes) -> str:
    """Upload something whole; gives its path."""
    path = created(port, len(data))
    with Wire(port) as wire:
        if data:
            wire.send(patch_head(path, len(data)), data)
            assert 204 == wire.response().status
    return path


def offset_of(port: int, path: str) -> int:
    """Ask for an upload's offset."""
    with Wire(port) as wire:
        return int(wire.request("HEAD", path).headers["upload-offset"])


def wait_until_stored(data_dir: Path, size: int) -> None:
    """Wait until the unfinished uploads in a data folder have so many bytes, or more."""
    deadline = time.monotonic() + _PATIENCE
    while sum(file.stat().st_size for file in data_dir.glob("uploads/?/?/*")) < size:
        if time.monotonic() > deadline:
            raise RuntimeError(f"There are no {size} bytes in {data_dir}.")
        time.sleep(0.001)
