"""A small client that knows exactly which bytes it sent, and which it had to send twice."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.proxy import unacknowledged

TIMEOUT = 60.0
TUS = {"Tus-Resumable": "1.0.0"}
LOCKED = 423
POLL_INTERVAL = 0.01
HEAD_ATTEMPTS = 1000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One PATCH: where it began, and how far the upload was when the server was asked again."""

    offset: int
    header: int
    """Bytes before the first byte of the body."""
    kept: int
    """Bytes of the body that the server has stored."""
    complete: bool
    """The server answered."""


@dataclass
class CountingClient:
    """Uploads a file: one POST, then a PATCH of all the rest, again after every cut.

    `tls` says which certificates are believed.
    """

    files_url: str
    source: Path
    most_attempts: int
    tls: ssl.SSLContext | None = None
    url: str = ""
    attempts: list[Attempt] = field(default_factory=list)

    def upload(self) -> None:
        """Create an upload and send the file."""
        self.url = create_upload(self.files_url, self.source.stat().st_size, tls=self.tls)
        self.send_from(0)

    def resume(self, url: str) -> None:
        """Ask for the offset of an upload and send the rest of the file."""
        self.url = url
        self.send_from(self._ask_offset())

    def send_from(self, offset: int) -> None:
        """Send the file from this offset until the server has it all."""
        length = self.source.stat().st_size
        while offset < length:
            assert len(self.attempts) < self.most_attempts, self.attempts
            offset = self._send_rest(offset, length)

    def _send_rest(self, offset: int, length: int) -> int:
        header = _patch_header(self.url, offset, length)
        with _connected(self.url, self.tls) as connection:
            try:
                connection.sendall(header)
                with self.source.open("rb") as file:
                    connection.sendfile(file, offset)
                reached = _offset_in_answer(connection)
                complete = True
            except (ConnectionError, ssl.SSLError):
                reached = self._ask_offset()
                complete = False
        self.attempts.append(Attempt(offset, len(header), reached - offset, complete))
        return reached

    def _ask_offset(self) -> int:
        for _ in range(HEAD_ATTEMPTS):
            with contextlib.suppress(ConnectionError):
                answer = _request("HEAD", self.url, tls=self.tls)
                if answer.status != LOCKED:
                    assert 200 == answer.status, answer.status
                    return int(answer.headers["Upload-Offset"])
            time.sleep(POLL_INTERVAL)
        raise AssertionError(f"HEAD {self.url} was never answered")


def create_upload(
    files_url: str, length: int, *, metadata: str = "", tls: ssl.SSLContext | None = None
) -> str:
    """Create an empty upload and return its URL."""
    headers = {"Upload-Length": str(length), "Upload-Metadata": metadata}
    answer = _request("POST", files_url, headers, tls=tls)
    assert 201 == answer.status, answer.status
    return answer.headers["Location"]


@contextmanager
def unfinished_patch(url: str, source: Path, sent: int, offset: int = 0) -> Iterator[socket.socket]:
    """A PATCH of the rest of the file that stops after some bytes; the server's kernel has them."""
    header = _patch_header(url, offset, source.stat().st_size)
    with socket.create_connection(_address(url), TIMEOUT) as connection:
        connection.sendall(header)
        with source.open("rb") as file:
            connection.sendfile(file, offset, sent)
        deadline = time.monotonic() + TIMEOUT
        while unacknowledged(connection):
            assert time.monotonic() < deadline, "the server does not take what it is sent"
            time.sleep(POLL_INTERVAL)
        yield connection


def _patch_header(url: str, offset: int, length: int) -> bytes:
    parts = urlsplit(url)
    lines = [
        f"PATCH {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Tus-Resumable: 1.0.0",
        "Content-Type: application/offset+octet-stream",
        f"Upload-Offset: {offset}",
        f"Content-Length: {length - offset}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _offset_in_answer(connection: socket.socket) -> int:
    with contextlib.closing(http.client.HTTPResponse(connection, method="PATCH")) as answer:
        answer.begin()
        assert 204 == answer.status, answer.status
        return int(answer.headers["Upload-Offset"])


def _request(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    *,
    tls: ssl.SSLContext | None = None,
) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    if tls is None:
        connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT)
    else:
        connection = http.client.HTTPSConnection(parts.netloc, timeout=TIMEOUT, context=tls)
    with contextlib.closing(connection):
        connection.request(method, parts.path, headers={**TUS, **(headers or {})})
        answer = connection.getresponse()
        answer.read()
        return answer


def _connected(url: str, tls: ssl.SSLContext | None) -> socket.socket:
    connection = socket.create_connection(_address(url), TIMEOUT)
    if tls is None:
        return connection
    return tls.wrap_socket(connection, server_hostname=urlsplit(url).hostname)


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 80
