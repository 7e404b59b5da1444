"""Just enough HTTP for a driver: prebuilt requests out, answers checked, no client library."""

from __future__ import annotations

import fcntl
import re
import socket
import struct
import termios
import time
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from benchmarks.errors import DriverFailedError

HOST: Final = "127.0.0.1"
UPLOADS: Final = "/files/"

_SILENCE: Final = 60.0

_PATH_OF_URL = re.compile(r"^(?:https?://[^/]+)?(/.+)$")
# What browsers' clients send with every creation.
_METADATA = ",".join(
    f"{key} {b64encode(value).decode('ascii')}"
    for key, value in (("filename", b"holiday.mp4"), ("filetype", b"video/mp4"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer: status and headers, names in lower case."""

    status: int
    headers: Mapping[str, str]

    @property
    def closes(self) -> bool:
        """Whether the server will close the connection."""
        return self.headers.get("connection", "").lower() == "close"


def connect(port: int, *, timeout: float) -> socket.socket:
    """Open a blocking connection on which no read or write stalls longer than `timeout`."""
    connection = socket.create_connection((HOST, port), timeout=timeout)
    # The kernel keeps the time: Python's own time-out would make the socket non-blocking, and
    # sendfile would come back for every few kilobytes.
    connection.settimeout(None)
    limit = struct.pack("ll", int(timeout), int(timeout % 1 * 1_000_000))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def request(method: str, path: str, port: int, headers: Mapping[str, str]) -> bytes:
    """Build the head of a tus request."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {HOST}:{port}",
        "Tus-Resumable: 1.0.0",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def creation(port: int, length: int, payload: bytes = b"", grant: str = "") -> bytes:
    """Build a creation of `length` bytes, with the first of them where there is a payload.

    The server may want a `grant`.
    """
    headers = {
        "Upload-Length": str(length),
        "Upload-Metadata": _METADATA,
        "Content-Length": str(len(payload)),
    }
    if payload:
        headers["Content-Type"] = "application/offset+octet-stream"
    if grant:
        headers["Authorization"] = f"Bearer {grant}"
    return request("POST", UPLOADS, port, headers) + payload


def append_head(
    path: str, port: int, length: int, offset: int = 0, checksum: str | None = None
) -> bytes:
    """Build the head of an append of `length` bytes at an offset."""
    headers = {
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(length),
    }
    if checksum is not None:
        headers["Upload-Checksum"] = checksum
    return request("PATCH", path, port, headers)


def create(port: int, length: int) -> str:
    """Create an upload on a connection of its own and return its path.

    Raises:
        DriverFailedError: it was not answered as created.
    """
    with connect(port, timeout=_SILENCE) as connection:
        connection.sendall(creation(port, length))
        answer = read_answer(connection)
    expect(answer, 201, what="a creation")
    return path_of(answer)


def download(path: str, port: int) -> bytes:
    """Build a request for the bytes of an upload, the last one of its connection."""
    return request("GET", path, port, {"Connection": "close"})


def wait_for_end(connection: socket.socket) -> None:
    """Let the server close the connection first, after its last answer.

    @tus/server's process may die of a client that is sooner than its own end of a download.
    """
    with suppress(OSError):
        while connection.recv(65536):
            pass


def wait_until_taken(connection: socket.socket) -> None:
    """Wait until the other side's kernel has acknowledged everything that was sent.

    Raises:
        DriverFailedError: it does not.
    """
    deadline = time.monotonic() + _SILENCE
    while any(fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))):
        if time.monotonic() > deadline:
            raise DriverFailedError("the server stopped reading")
        time.sleep(0.0005)


def path_of(answer: Answer) -> str:
    """Return the path of the upload that a creation's answer names.

    Raises:
        DriverFailedError: the answer has no usable Location.
    """
    match = _PATH_OF_URL.match(answer.headers.get("location", ""))
    if match is None:
        raise DriverFailedError("a creation was answered without a usable Location")
    return match[1]


def expect(answer: Answer, *statuses: int, what: str, offset: int | None = None) -> None:
    """Check that an answer has one of these statuses and, where given, its Upload-Offset.

    Raises:
        DriverFailedError: it is another one.
    """
    if answer.status not in statuses:
        raise DriverFailedError(f"{what} was answered {answer.status} instead of {statuses[0]}")
    if offset is not None and answer.headers.get("upload-offset") != str(offset):
        said = answer.headers.get("upload-offset", "nothing")
        raise DriverFailedError(f"{what} was answered with offset {said} instead of {offset}")


def discover(port: int) -> Answer:
    """Ask the server what it supports; it answers once it is ready.

    Raises:
        DriverFailedError: it answers something else than a success.
    """
    with connect(port, timeout=5.0) as connection:
        connection.sendall(request("OPTIONS", UPLOADS, port, {}))
        answer = read_answer(connection)
    expect(answer, 200, 204, what="OPTIONS")
    return answer


def read_answer(connection: socket.socket, *, to_head: bool = False) -> Answer:
    """Read one answer to its end, past any interim answers.

    Raises:
        DriverFailedError: the connection ended or fell silent before that.
    """
    answer, rest = read_head(connection)
    if not to_head and answer.status != 204:
        _skip_body(connection, answer, bytearray(rest))
    return answer


def read_head(connection: socket.socket) -> tuple[Answer, bytes]:
    """Read the head of an answer, past any interim answers; what came of its body comes along.

    Raises:
        DriverFailedError: the connection ended or fell silent before that.
    """
    received = bytearray()
    while True:
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += _receive(connection)
        answer = parse_head(bytes(received[:end]))
        del received[: end + 4]
        if answer.status >= 200:
            return answer, bytes(received)


def parse_head(head: bytes) -> Answer:
    """Parse a status line and headers.

    Raises:
        DriverFailedError: it is not HTTP/1.1.
    """
    status_line, *lines = head.decode("latin-1").split("\r\n")
    if not re.match(r"HTTP/1\.[01] [1-5][0-9][0-9]", status_line):
        raise DriverFailedError(f"an answer begins with {status_line[:40]!r}")
    fields = (line.partition(":") for line in lines)
    return Answer(
        status=int(status_line[9:12]),
        headers={name.lower(): value.strip() for name, _, value in fields},
    )


def _skip_body(connection: socket.socket, answer: Answer, received: bytearray) -> None:
    if answer.headers.get("transfer-encoding", "").lower() == "chunked":
        while not received.endswith(b"0\r\n\r\n"):
            received += _receive(connection)
        return
    while len(received) < int(answer.headers.get("content-length", "0")):
        received += _receive(connection)


def _receive(connection: socket.socket) -> bytes:
    try:
        received = connection.recv(65536)
    except BlockingIOError as error:
        raise DriverFailedError("the server fell silent") from error
    except OSError as error:
        raise DriverFailedError("the server broke the connection") from error
    if not received:
        raise DriverFailedError("the server closed the connection without an answer")
    return received
