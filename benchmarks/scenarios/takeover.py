"""A client that comes back while its old connection hangs: how soon it gets in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.drivers.process import Driver
from benchmarks.drivers.takeover import TakeoverJob, TakeoverResult
from benchmarks.drivers.timing import percentile
from benchmarks.scenarios.base import (
    DISTURBANCE,
    JUST_OURS,
    KIB,
    MIB,
    Bench,
    Case,
    Metric,
    Scale,
    disturbance,
    drive,
)
from benchmarks.servers import Target

_SENT: Final = 64 * KIB
_METRICS: Final = (
    Metric(key="median_ms", title="median, ms", digits=1),
    Metric(key="worst_ms", title="worst, ms", digits=1),
    DISTURBANCE,
)


def cases(scale: Scale) -> list[Case]:
    """Return the one case: 100 uploads taken over, or quick ones."""
    count = scale.choose(100, quick=20)

    def measure(bench: Bench, target: Target) -> Mapping[str, float]:
        return _measure(bench, target, count)

    return [
        Case(
            scenario="takeover",
            name="takeover",
            title=f"HEAD on an upload whose connection has gone silent, {count} times",
            method=f"A PATCH sends {_SENT // KIB} KiB of more and then nothing; a HEAD on another "
            "connection is timed until its answer, which has to tell of all that was sent. With "
            "two workers half of these pairs are on different ones.",
            metrics=_METRICS,
            sources=(),
            room=count * MIB,
            roles=JUST_OURS,
            measure=measure,
        )
    ]


def _measure(bench: Bench, target: Target, count: int) -> dict[str, float]:
    job = TakeoverJob(port=target.port, count=count, sent=_SENT)
    driver = Driver(job, TakeoverResult, timeout=60.0 + count)
    result, usage = drive(bench, target, driver)
    return {
        "median_ms": 1e3 * percentile(result.took, 50),
        "worst_ms": 1e3 * max(result.took),
        **disturbance(result, usage),
    }
