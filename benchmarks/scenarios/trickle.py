"""Thousands of clients on bad links: what they cost, and whether others notice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.drivers.process import Driver
from benchmarks.drivers.timing import percentile
from benchmarks.drivers.trickle import TrickleJob, TrickleResult
from benchmarks.errors import TrialFailedError
from benchmarks.scenarios.base import (
    DISTURBANCE,
    JUST_OURS,
    MB,
    MIB,
    Bench,
    Case,
    Metric,
    Scale,
    disturbance,
    drive,
)
from benchmarks.servers import Target

_RSS_LIMIT_MB: Final = 400.0
_P99_LIMIT_MS: Final = 50.0
_HEADS: Final = 50.0
# A sender that is later than this did not send 1 KiB a second.
_LATEST: Final = 1.0
_METRICS: Final = (
    Metric(key="p50_ms", title="HEAD p50, ms", digits=1),
    Metric(key="p99_ms", title="HEAD p99, ms", digits=1, limit=_P99_LIMIT_MS),
    Metric(key="peak_rss_mb", title="peak RSS, MB", limit=_RSS_LIMIT_MB),
    Metric(key="busy_percent", title="server busy, %"),
    DISTURBANCE,
)


def cases(scale: Scale) -> list[Case]:
    """Return the one case: 2,000 slow senders for 30 s, or 200 for 5 s."""
    connections = scale.choose(2000, quick=200)
    seconds = scale.choose(30, quick=5)

    def measure(bench: Bench, target: Target) -> Mapping[str, float]:
        return _measure(bench, target, connections, float(seconds))

    return [
        Case(
            scenario="trickle",
            name="trickle",
            title=f"{connections} connections that each send 1 KiB a second",
            method=f"PATCHes for {seconds} s; meanwhile HEADs on another upload, one after the "
            f"other and at most {_HEADS:.0f} a second. The server has to stay below "
            f"{_RSS_LIMIT_MB:.0f} MB, and the HEADs at p99 below {_P99_LIMIT_MS:.0f} ms.",
            metrics=_METRICS,
            sources=(),
            room=connections * MIB,
            roles=JUST_OURS,
            measure=measure,
        )
    ]


def _measure(bench: Bench, target: Target, connections: int, seconds: float) -> dict[str, float]:
    job = TrickleJob(port=target.port, connections=connections, seconds=seconds, heads=_HEADS)
    driver = Driver(job, TrickleResult, timeout=60.0 + 2 * seconds)
    result, usage = drive(bench, target, driver)
    if result.latest > _LATEST:
        raise TrialFailedError(f"the senders were {result.latest:.1f} s late")
    return {
        "p50_ms": 1e3 * percentile(result.took, 50),
        "p99_ms": 1e3 * percentile(result.took, 99),
        "peak_rss_mb": usage.peak_rss / MB,
        "busy_percent": 100 * usage.cpu_seconds / usage.seconds,
        **disturbance(result, usage),
    }
