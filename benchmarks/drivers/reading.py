"""Downloads of whole uploads: thrown away as fast as they come, or compared byte by byte."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Final, Self

from benchmarks.drivers import wire
from benchmarks.errors import DriverFailedError

_SILENCE: Final = 60.0
_BLOCK: Final = 1024 * 1024


class Download:
    """Context manager: a GET of an upload of `length` bytes, answered with 200 by then."""

    def __init__(self, port: int, path: str, length: int) -> None:
        """Prepare to read the upload at `path`."""
        self._request = wire.download(path, port)
        self._port = port
        self._length = length

    def __enter__(self) -> Self:
        self._connection = wire.connect(self._port, timeout=_SILENCE)
        try:
            self._connection.sendall(self._request)
            answer, self._first = wire.read_head(self._connection)
            self._check(answer)
        except BaseException:
            self._connection.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            wire.wait_for_end(self._connection)
        self._connection.close()

    def _check(self, answer: wire.Answer) -> None:
        wire.expect(answer, 200, what="a GET")
        if answer.headers.get("content-length") != str(self._length):
            raise DriverFailedError("a GET was answered with another length")

    def discard(self) -> None:
        """Take all bytes and look at none: the kernel drops them, so it costs next to nothing.

        Raises:
            DriverFailedError: the connection ended before the last one.
        """
        left = self._length - len(self._first)
        block = bytearray(_BLOCK)
        while left:
            left -= self._receive(memoryview(block)[:left], socket.MSG_TRUNC)

    def compare(self, body: memoryview) -> None:
        """Take all bytes, and see that they are those of `body`.

        Raises:
            DriverFailedError: they are others, or fewer.
        """
        at = len(self._first)
        same = self._first == body[:at]
        block = memoryview(bytearray(_BLOCK))
        while same and at < self._length:
            size = self._receive(block[: self._length - at], 0)
            same = block[:size] == body[at : at + size]
            at += size
        if not same:
            raise DriverFailedError(f"a file of {self._length} bytes is not what was sent")

    def _receive(self, block: memoryview, flags: int) -> int:
        try:
            size = self._connection.recv_into(block, len(block), flags)
        except BlockingIOError as error:
            raise DriverFailedError("the server fell silent in a download") from error
        if not size:
            raise DriverFailedError("a download ended too early")
        return size
