"""Fills a server with uploads that have no bytes yet, and remembers where some of them are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.drivers import process
from benchmarks.drivers.small import Load, SmallJob
from benchmarks.drivers.timing import Stopwatch

_CONNECTIONS: Final = 16
_LENGTH: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class FillJob:
    """Create `uploads` uploads within `seconds`, and keep the paths of `kept`, evenly spread."""

    port: int
    uploads: int
    kept: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FillResult:
    """The paths kept, how many were made, and what the driver itself spent."""

    paths: list[str]
    made: int
    seconds: float
    cpu_seconds: float


def run(job: FillJob, ready: Callable[[], None]) -> FillResult:
    """Wait for the start, then create.

    Raises:
        DriverFailedError: a creation was not answered as one.
    """
    creations = SmallJob(
        port=job.port,
        body="",
        length=_LENGTH,
        payload=0,
        goes_on=False,
        connections=_CONNECTIONS,
        seconds=job.seconds,
        limit=job.uploads,
    )
    load = Load(creations, b"", keep_every=max(1, job.uploads // job.kept))
    ready()
    load.open()
    with Stopwatch() as watch:
        load.run()
    return FillResult(
        paths=load.kept,
        made=len(load.took),
        seconds=watch.seconds,
        cpu_seconds=watch.cpu_seconds,
    )


if __name__ == "__main__":
    process.serve(FillJob, run)
