"""Times single requests on one connection: creations, and HEADs on uploads that are there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.drivers import process, wire
from benchmarks.drivers.kept import Kept
from benchmarks.drivers.timing import Stopwatch

_SILENCE: Final = 30.0
_LENGTH: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class AskJob:
    """Ask for each of these uploads, and create as many."""

    port: int
    paths: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskResult:
    """How long each request took, and what the driver itself spent."""

    creations: list[float]
    heads: list[float]
    seconds: float
    cpu_seconds: float


def run(job: AskJob, ready: Callable[[], None]) -> AskResult:
    """Wait for the start, then send one request after the other.

    Raises:
        DriverFailedError: an answer was wrong.
    """
    ready()
    with Kept(job.port, timeout=_SILENCE) as connection, Stopwatch() as watch:
        creations = [_create(connection, job) for _ in job.paths]
        heads = [_ask(connection, job, path) for path in job.paths]
    return AskResult(
        creations=creations, heads=heads, seconds=watch.seconds, cpu_seconds=watch.cpu_seconds
    )


def _create(connection: Kept, job: AskJob) -> float:
    start = time.perf_counter()
    connection.open().sendall(wire.creation(job.port, _LENGTH))
    answer = connection.answer()
    took = time.perf_counter() - start
    wire.expect(answer, 201, what="a creation")
    return took


def _ask(connection: Kept, job: AskJob, path: str) -> float:
    start = time.perf_counter()
    connection.open().sendall(wire.request("HEAD", path, job.port, {}))
    answer = connection.answer(to_head=True)
    took = time.perf_counter() - start
    wire.expect(answer, 200, 204, what="a HEAD", offset=0)
    return took


if __name__ == "__main__":
    process.serve(AskJob, run)
