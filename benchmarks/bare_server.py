"""The limit of any server in Python: ``recv_into`` and ``write``, and as little else as possible.

It speaks just enough tus for the drivers, one thread for each connection: no parser, no locks, no
records, no expiry. What it lacks is what a real server may cost.

    python -m benchmarks.bare_server PORT FOLDER
"""

from __future__ import annotations

import itertools
import os
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BLOCK: Final = 1024 * 1024
_HEAD_END: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    method: str
    path: str
    headers: Mapping[str, str]
    rest: bytes

    @property
    def is_last(self) -> bool:
        return self.headers.get("connection") == "close"

    @property
    def length(self) -> int:
        return int(self.headers.get("content-length", "0"))


class _Uploads:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ids = itertools.count()

    def serve(self, connection: socket.socket) -> None:
        """Answer one request after the other until the client goes."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        block = memoryview(bytearray(_BLOCK))
        with connection:
            while (request := _read(connection)) is not None:
                self._answer(connection, request, block)
                if request.is_last:
                    break

    def _answer(self, connection: socket.socket, request: _Request, block: memoryview) -> None:
        if request.method == "GET":
            self._send(connection, request)
            return
        status, fields = "204 No Content", ""
        if request.method == "POST":
            name = str(next(self._ids))
            self._write(connection, request, self._folder / name, block)
            status, fields = "201 Created", f"Location: /files/{name}\r\nContent-Length: 0\r\n"
        elif request.method == "PATCH":
            end = self._write(connection, request, self._file_of(request), block)
            fields = f"Upload-Offset: {end}\r\n"
        elif request.method == "HEAD":
            size = self._file_of(request).stat().st_size
            fields = f"Upload-Offset: {size}\r\n"
        if request.is_last:
            fields += "Connection: close\r\n"
        connection.sendall(f"HTTP/1.1 {status}\r\n{fields}\r\n".encode())

    def _file_of(self, request: _Request) -> Path:
        return self._folder / request.path.rpartition("/")[2]

    def _write(
        self, connection: socket.socket, request: _Request, path: Path, block: memoryview
    ) -> int:
        at = int(request.headers.get("upload-offset", "0"))
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o640)
        try:
            os.lseek(file, at, os.SEEK_SET)
            _write_all(file, memoryview(request.rest))
            left = request.length - len(request.rest)
            while left:
                size = connection.recv_into(block, min(left, _BLOCK))
                if not size:
                    break
                _write_all(file, block[:size])
                left -= size
        finally:
            os.close(file)
        return at + request.length - left

    def _send(self, connection: socket.socket, request: _Request) -> None:
        with self._file_of(request).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
            connection.sendfile(file)


def _read(connection: socket.socket) -> _Request | None:
    received = b""
    while (end := received.find(_HEAD_END)) < 0:
        piece = connection.recv(65536)
        if not piece:
            return None
        received += piece
    first, *lines = received[:end].decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    fields = (line.partition(":") for line in lines)
    return _Request(
        method=method,
        path=path,
        headers={name.lower(): value.strip() for name, _, value in fields},
        rest=received[end + len(_HEAD_END) :],
    )


def _write_all(file: int, data: memoryview) -> None:
    while data:
        data = data[os.write(file, data) :]


def main(port: int, folder: Path) -> None:
    """Serve until the process is ended."""
    uploads = _Uploads(folder)
    with socket.create_server(("127.0.0.1", port), backlog=512) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=uploads.serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
