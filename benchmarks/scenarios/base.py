"""What every scenario is made of."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks import pages
from benchmarks.bodies import Source, check_stored
from benchmarks.drivers.append import AppendJob, AppendResult
from benchmarks.drivers.process import Driver
from benchmarks.measure import Meter, Usage
from benchmarks.servers import Target

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB
MB: Final = 1_000_000
# Slices of one file that overlap but for a page: different bodies without a file for each.
_STEP: Final = 4 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much work a run is: the whole of it, or a quick look; `large` is a size in MiB."""

    quick: bool
    large: int | None = None

    def choose(self, whole: int, quick: int) -> int:
        """Return the one that applies."""
        return quick if self.quick else whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A column: where `compared`, its ratio to the baseline stands in a column beside it.

    Where there is a `limit`, our own servers must stay below it.
    """

    key: str
    title: str
    digits: int = 0
    compared: bool = False
    limit: float | None = None


@dataclass(slots=True, kw_only=True)
class Bench:
    """What the trials of a run share: a folder on the disk, and sources of random bytes."""

    folder: Path
    _sources: dict[int, Source] = field(default_factory=dict)

    def source(self, size: int) -> Source:
        """Return a file of `size` random bytes, made once."""
        if size not in self._sources:
            self._sources[size] = Source(self.folder / f"source-{size}", size)
        return self._sources[size]


Measure = Callable[[Bench, Target], Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One table: what is done to each server, and what comes of it.

    `measure` warms the server up, measures it and checks what it stored; it finds `sources` of
    these sizes made. `room` is the disk space in bytes that a trial needs at most.
    """

    scenario: str
    name: str
    title: str
    method: str
    metrics: tuple[Metric, ...]
    sources: tuple[int, ...]
    room: int
    peers: bool
    measure: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Appends:
    """Appends of `length` bytes, `count` of them at the same time, each with a body of its own."""

    count: int
    length: int
    timeout: float

    @property
    def source_size(self) -> int:
        """Size of a source that has all the bodies."""
        return self.length + (self.count - 1) * _STEP

    def measure(self, bench: Bench, target: Target) -> tuple[AppendResult, Usage]:
        """Send the bodies, and check that the server stored each of them.

        Raises:
            TrialFailedError: an answer was wrong, or the stored bytes are not those sent.
        """
        source = bench.source(self.source_size)
        offsets = [number * _STEP for number in range(self.count)]
        digests = [source.digest(offset, self.length) for offset in offsets]
        job = AppendJob(
            port=target.port, body=str(source.path), offsets=offsets, length=self.length
        )
        os.sync()
        with Driver(job, AppendResult, timeout=self.timeout) as driver:
            pages.claim(bench.folder, self.count * self.length)
            with Meter(target.pid) as meter:
                result = driver.go()
            check_stored(target.data, self.length, digests)
        return result, meter.usage


# A machine that does other things too makes poor figures: they should say so themselves.
DISTURBANCE: Final = Metric(key="others_busy_percent", title="others busy, %")
APPEND_METRICS: Final = (
    Metric(key="mib_per_s", title="MiB/s", compared=True),
    Metric(key="cpu_s_per_gib", title="CPU s/GiB", digits=2, compared=True),
    Metric(key="peak_rss_mb", title="peak RSS, MB"),
    Metric(key="sender_busy_percent", title="sender busy, %"),
    DISTURBANCE,
)


def append_metrics(appends: Appends, result: AppendResult, usage: Usage) -> dict[str, float]:
    """Return the metrics of appends, and the raw figures behind them."""
    total = appends.count * appends.length
    return {
        "mib_per_s": total / MIB / result.seconds,
        "cpu_s_per_gib": usage.cpu_seconds / (total / GIB),
        "peak_rss_mb": usage.peak_rss / MB,
        "sender_busy_percent": 100 * result.cpu_seconds / result.seconds,
        "others_busy_percent": 100 * usage.disturbance(result.cpu_seconds),
        "seconds": result.seconds,
        "cpu_seconds": usage.cpu_seconds,
        "sampled_rss_mb": usage.sampled_rss / MB,
    }
