"""Appends whole bodies at full speed, each on a connection and a thread of its own.

Every thread sits in one long ``sendfile`` on a blocking socket: the bytes go from the page cache
to the socket inside the kernel, and no Python runs while they do.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.drivers import process, wire
from benchmarks.drivers.timing import Stopwatch
from benchmarks.errors import DriverFailedError

_SILENCE: Final = 60.0
# The kernel moves no more than this in one call.
_LARGEST_SEND: Final = 0x7FFFF000


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendJob:
    """Send `length` bytes from each of these offsets of the file `body`, all at once."""

    port: int
    body: str
    offsets: list[int]
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendResult:
    """Time from the first byte sent to the last answer, and what the driver itself spent."""

    seconds: float
    cpu_seconds: float


def run(job: AppendJob, ready: Callable[[], None]) -> AppendResult:
    """Create the uploads, wait for the start, send all bodies, check every answer.

    Raises:
        DriverFailedError: an upload was not answered as a complete one.
    """
    paths = [wire.create(job.port, job.length) for _ in job.offsets]
    ready()
    # Not before: a server may close connections that stay silent.
    connections = [wire.connect(job.port, timeout=_SILENCE) for _ in paths]
    gate = threading.Barrier(len(paths) + 1)
    with Path(job.body).open("rb") as body, ThreadPoolExecutor(len(paths)) as threads:
        appends = [
            threads.submit(_append_when_open, gate, connection, path, body.fileno(), offset, job)
            for connection, path, offset in zip(connections, paths, job.offsets, strict=True)
        ]
        with Stopwatch() as watch:
            gate.wait()
            for append in appends:
                append.result()
    return AppendResult(seconds=watch.seconds, cpu_seconds=watch.cpu_seconds)


def _append_when_open(
    gate: threading.Barrier,
    connection: socket.socket,
    path: str,
    body: int,
    offset: int,
    job: AppendJob,
) -> None:
    gate.wait()
    with connection:
        send(connection, wire.append_head(path, job.port, job.length), body, offset, job.length)
        answer = wire.read_answer(connection)
    wire.expect(answer, 204, what="an append", offset=job.length)


def send(connection: socket.socket, head: bytes, body: int, offset: int, length: int) -> None:
    """Send a head and then `length` bytes of the file `body`, inside the kernel.

    Raises:
        DriverFailedError: the server stopped reading.
    """
    end = offset + length
    try:
        connection.sendall(head)
        while offset < end:
            offset += os.sendfile(
                connection.fileno(), body, offset, min(end - offset, _LARGEST_SEND)
            )
    except BlockingIOError as error:
        raise DriverFailedError("the server stopped reading a body") from error
    except (BrokenPipeError, ConnectionResetError):
        # The server refused the body; what it says about it is read next.
        return


if __name__ == "__main__":
    process.serve(AppendJob, run)
