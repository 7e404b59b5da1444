"""Reads finished uploads, several at the same time, each on a connection and a thread."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.drivers import process, wire
from benchmarks.drivers.append import send
from benchmarks.drivers.reading import Download
from benchmarks.drivers.timing import Stopwatch

_SILENCE: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadJob:
    """Upload the first `length` bytes of a file `uploads` times, and let `readers` read them.

    The readers share the uploads evenly.
    """

    port: int
    body: str
    length: int
    uploads: int
    readers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadResult:
    """Time from the first request to the last byte, and what the driver itself spent."""

    seconds: float
    cpu_seconds: float


def run(job: DownloadJob, ready: Callable[[], None]) -> DownloadResult:
    """Upload, compare each with what was sent, wait for the start, then read.

    Raises:
        DriverFailedError: an answer was wrong, or other bytes came back.
    """
    paths = [_upload(job) for _ in range(job.uploads)]
    for path in paths:
        _compare(job, path)
    ready()
    read = [paths[number % job.uploads] for number in range(job.readers)]
    with ThreadPoolExecutor(job.readers) as threads, Stopwatch() as watch:
        for reader in [threads.submit(_read, job, path) for path in read]:
            reader.result()
    return DownloadResult(seconds=watch.seconds, cpu_seconds=watch.cpu_seconds)


def _upload(job: DownloadJob) -> str:
    path = wire.create(job.port, job.length)
    with Path(job.body).open("rb") as body, wire.connect(job.port, timeout=_SILENCE) as connection:
        head = wire.append_head(path, job.port, job.length)
        send(connection, head, body.fileno(), 0, job.length)
        answer = wire.read_answer(connection)
    wire.expect(answer, 204, what="an append", offset=job.length)
    return path


def _compare(job: DownloadJob, path: str) -> None:
    with (
        Path(job.body).open("rb") as body,
        mmap.mmap(body.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as sent,
        Download(job.port, path, job.length) as download,
    ):
        download.compare(sent)


def _read(job: DownloadJob, path: str) -> None:
    with Download(job.port, path, job.length) as download:
        download.discard()


if __name__ == "__main__":
    process.serve(DownloadJob, run)
