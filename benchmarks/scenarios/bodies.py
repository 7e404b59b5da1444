"""What scenarios that send large bodies have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

from benchmarks.bodies import check_stored
from benchmarks.drivers.append import AppendJob, AppendResult
from benchmarks.drivers.process import Driver
from benchmarks.errors import NotOfferedError
from benchmarks.measure import Usage
from benchmarks.scenarios.base import (
    DISTURBANCE,
    GIB,
    KIB,
    MB,
    MIB,
    Bench,
    Metric,
    disturbance,
    drive,
)
from benchmarks.servers import Target

if TYPE_CHECKING:
    from benchmarks.scenarios.base import Timed

# Slices of one file that overlap but for a page: different bodies without a file for each.
_STEP: Final = 4 * KIB
# Pieces, the joined body and the page cache have it at the same time.
_COPIES: Final = 3

BODY_METRICS: Final = (
    Metric(key="mib_per_s", title="MiB/s", compared=True),
    Metric(key="cpu_s_per_gib", title="CPU s/GiB", digits=2, compared=True),
    Metric(key="peak_rss_mb", title="peak RSS, MB"),
    Metric(key="sender_busy_percent", title="sender busy, %"),
    DISTURBANCE,
)


def body_metrics(size: int, result: Timed, usage: Usage) -> dict[str, float]:
    """Return the metrics of moving `size` bytes in all, and the raw figures behind them."""
    return {
        "mib_per_s": size / MIB / result.seconds,
        "cpu_s_per_gib": usage.cpu_seconds / (size / GIB),
        "peak_rss_mb": usage.peak_rss / MB,
        "sender_busy_percent": 100 * result.cpu_seconds / result.seconds,
        **disturbance(result, usage),
        "seconds": result.seconds,
        "cpu_seconds": usage.cpu_seconds,
        "sampled_rss_mb": usage.sampled_rss / MB,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Appends:
    """Appends of `length` bytes, `count` of them at the same time, each with a body of its own."""

    count: int
    length: int
    timeout: float

    @property
    def size(self) -> int:
        """Bytes in all bodies."""
        return self.count * self.length

    @property
    def source_size(self) -> int:
        """Size of a source that has all the bodies."""
        return self.length + (self.count - 1) * _STEP

    def measure(self, bench: Bench, target: Target) -> dict[str, float]:
        """Send the bodies, check that the server stored each of them, and return the metrics.

        Raises:
            TrialFailedError: an answer was wrong, or the stored bytes are not those sent.
            NotOfferedError: the server would need more memory than there is.
        """
        check_memory(target, self.size)
        source = bench.source(self.source_size)
        offsets = [number * _STEP for number in range(self.count)]
        digests = [source.digest(offset, self.length) for offset in offsets]
        job = AppendJob(
            port=target.port, body=str(source.path), offsets=offsets, length=self.length
        )
        driver = Driver(job, AppendResult, timeout=self.timeout)
        result, usage = drive(bench, target, driver, claim=self.size)
        check_stored(target.data, self.length, digests)
        return body_metrics(self.size, result, usage)


def check_memory(target: Target, size: int) -> None:
    """Check that there is memory for a server that keeps whole bodies in it, `size` bytes at once.

    Raises:
        NotOfferedError: there is too little: the machine would swap, or end processes.
    """
    needed, free = _COPIES * size, psutil.virtual_memory().available
    if target.server.holds_bodies and needed > free:
        raise NotOfferedError(
            f"it holds whole bodies in memory, some {needed >> 20:,} MiB, and {free >> 20:,} are "
            "free"
        )
