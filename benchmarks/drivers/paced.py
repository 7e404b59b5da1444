"""One upload at the pace of a network: created and sent in one request."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from benchmarks.drivers import process, wire
from benchmarks.drivers.timing import Stopwatch

_SILENCE: Final = 120.0
# What goes out at a time, in seconds of the rate.
_STEP: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class PacedJob:
    """Send `size` bytes to the creation URL's `path`, `rate` of them a second; 0 is no limit."""

    port: int
    path: str
    size: int
    rate: int = 0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacedResult:
    """How long it took, and what the driver itself spent."""

    seconds: float
    cpu_seconds: float


def run(job: PacedJob, ready: Callable[[], None]) -> PacedResult:
    """Wait for the start, then send.

    Raises:
        DriverFailedError: the answer was wrong.
    """
    headers = {
        "Upload-Length": str(job.size),
        "Content-Length": str(job.size),
        "Content-Type": "application/offset+octet-stream",
        **job.headers,
    }
    piece = os.urandom(int(job.rate * _STEP) or 1024 * 1024)
    connection = wire.connect(job.port, timeout=_SILENCE)
    ready()
    with connection, Stopwatch() as watch:
        connection.sendall(wire.request("POST", job.path, job.port, headers))
        start = time.perf_counter()
        for sent in range(0, job.size, len(piece)):
            if job.rate:
                time.sleep(max(0.0, start + sent / job.rate - time.perf_counter()))
            connection.sendall(memoryview(piece)[: job.size - sent])
        answer = wire.read_answer(connection)
    wire.expect(answer, 201, what="an upload")
    return PacedResult(seconds=watch.seconds, cpu_seconds=watch.cpu_seconds)


if __name__ == "__main__":
    process.serve(PacedJob, run)
