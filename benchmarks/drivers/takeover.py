"""Takes uploads over from connections that have gone silent, and times it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.drivers import process, wire
from benchmarks.drivers.timing import Stopwatch

_SILENCE: Final = 30.0
_LENGTH: Final = 1024 * 1024
# By then the server has nothing of it left in memory, as with a connection that died minutes ago.
_SILENT_FOR: Final = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeoverJob:
    """Take `count` uploads over, each after its first `sent` bytes."""

    port: int
    count: int
    sent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeoverResult:
    """How long each HEAD took, in the order of time, and what the driver itself spent."""

    took: list[float]
    seconds: float
    cpu_seconds: float


def run(job: TakeoverJob, ready: Callable[[], None]) -> TakeoverResult:
    """Wait for the start, then take over one upload after the other.

    Raises:
        DriverFailedError: a HEAD did not tell of all the bytes that its server had.
    """
    ready()
    with Stopwatch() as watch:
        took = [_take_over(job) for _ in range(job.count)]
    return TakeoverResult(took=took, seconds=watch.seconds, cpu_seconds=watch.cpu_seconds)


def _take_over(job: TakeoverJob) -> float:
    path = wire.create(job.port, _LENGTH)
    with (
        wire.connect(job.port, timeout=_SILENCE) as holder,
        wire.connect(job.port, timeout=_SILENCE) as rival,
    ):
        holder.sendall(wire.append_head(path, job.port, _LENGTH) + bytes(job.sent))
        wire.wait_until_taken(holder)
        time.sleep(_SILENT_FOR)
        began = time.perf_counter()
        rival.sendall(wire.request("HEAD", path, job.port, {}))
        answer = wire.read_answer(rival, to_head=True)
        took = time.perf_counter() - began
    wire.expect(answer, 200, what="a HEAD on a busy upload", offset=job.sent)
    return took


if __name__ == "__main__":
    process.serve(TakeoverJob, run)
