"""Looks at uploads from outside: what HEAD tells, and the digest of what GET delivers."""

from __future__ import annotations

import base64
import hashlib
import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlsplit

TIMEOUT = 60.0
READ_SIZE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Inspected:
    """The server's answer to HEAD."""

    status: int
    headers: Message

    @property
    def offset(self) -> int | None:
        return _number(self.headers["Upload-Offset"])

    @property
    def length(self) -> int | None:
        return _number(self.headers["Upload-Length"])

    @property
    def concat(self) -> str | None:
        return self.headers["Upload-Concat"]

    @property
    def metadata(self) -> dict[str, str]:
        """Upload-Metadata, decoded."""
        pairs = (pair.split() for pair in (self.headers["Upload-Metadata"] or "").split(","))
        return {pair[0]: _decoded(pair[1:]) for pair in pairs if pair}


def inspect(url: str) -> Inspected:
    """Ask for the state of an upload."""
    with _response("HEAD", url, {"Tus-Resumable": "1.0.0"}) as response:
        return Inspected(response.status, response.headers)


def announced_extensions(url: str) -> list[str]:
    """The extensions that the server names in its answer to OPTIONS."""
    with _response("OPTIONS", url) as response:
        return (response.headers["Tus-Extension"] or "").split(",")


def stored_digest(url: str) -> str:
    """The SHA-256 of the stored file, read back through GET."""
    digest = hashlib.sha256()
    with _response("GET", url) as response:
        assert 200 == response.status, f"GET {url} was answered {response.status}"
        while chunk := response.read(READ_SIZE):
            digest.update(chunk)
    return digest.hexdigest()


def status_of_get(url: str) -> int:
    """The status with which the server answers GET."""
    with _response("GET", url) as response:
        return response.status


@contextmanager
def _response(
    method: str, url: str, headers: dict[str, str] | None = None
) -> Iterator[http.client.HTTPResponse]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT)
    try:
        connection.request(method, parts.path, headers={"Connection": "close", **(headers or {})})
        yield connection.getresponse()
    finally:
        connection.close()


def _number(value: str | None) -> int | None:
    return None if value is None else int(value)


def _decoded(value: list[str]) -> str:
    return base64.b64decode(value[0], validate=True).decode() if value else ""
