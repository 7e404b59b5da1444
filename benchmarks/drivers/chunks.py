"""Uploads one body in pieces, each a PATCH after the last one's answer, on a kept connection."""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from benchmarks.drivers import process, wire
from benchmarks.drivers.append import send
from benchmarks.drivers.kept import Kept
from benchmarks.drivers.timing import Stopwatch

_SILENCE: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunksJob:
    """Upload the first `length` bytes of a file in pieces of `chunk` bytes.

    Where an `algorithm` is named, each carries its checksum.
    """

    port: int
    body: str
    length: int
    chunk: int
    algorithm: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunksResult:
    """Time from the first byte sent to the last answer, and what the driver itself spent."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class _Piece:
    head: bytes
    offset: int
    length: int


def run(job: ChunksJob, ready: Callable[[], None]) -> ChunksResult:
    """Create the upload, prepare all requests, wait for the start, send one after the other.

    Raises:
        DriverFailedError: a piece was not answered with its end.
    """
    path = wire.create(job.port, job.length)
    with Path(job.body).open("rb") as body:
        pieces = list(_pieces(job, path, body))
        ready()
        with Kept(job.port, timeout=_SILENCE) as connection, Stopwatch() as watch:
            for piece in pieces:
                send(connection.open(), piece.head, body.fileno(), piece.offset, piece.length)
                end = piece.offset + piece.length
                wire.expect(connection.answer(), 204, what="a piece", offset=end)
    return ChunksResult(seconds=watch.seconds, cpu_seconds=watch.cpu_seconds)


def _pieces(job: ChunksJob, path: str, body: BinaryIO) -> Iterator[_Piece]:
    for offset in range(0, job.length, job.chunk):
        length = min(job.chunk, job.length - offset)
        checksum = None
        if job.algorithm is not None:
            digest = hashlib.new(job.algorithm, os.pread(body.fileno(), length, offset)).digest()
            checksum = f"{job.algorithm} {b64encode(digest).decode('ascii')}"
        head = wire.append_head(path, job.port, length, offset, checksum)
        yield _Piece(head, offset, length)


if __name__ == "__main__":
    process.serve(ChunksJob, run)
