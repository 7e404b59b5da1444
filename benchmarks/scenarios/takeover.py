"""A client that comes back while its old connection hangs: how soon it gets in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.drivers.process import Driver
from benchmarks.drivers.takeover import TakeoverJob, TakeoverResult
from benchmarks.measure import Meter
from benchmarks.scenarios.base import DISTURBANCE, KIB, MIB, Bench, Case, Metric, Scale
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

    def measure(_: Bench, target: Target) -> Mapping[str, float]:
        return _measure(target, count)

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
            peers=False,
            measure=measure,
        )
    ]


def _measure(target: Target, count: int) -> dict[str, float]:
    job = TakeoverJob(port=target.port, count=count, sent=_SENT)
    with (
        Driver(job, TakeoverResult, timeout=60.0 + count) as driver,
        Meter(target.pid) as meter,
    ):
        result = driver.go()
    took = sorted(result.took)
    return {
        "median_ms": 1e3 * took[len(took) // 2],
        "worst_ms": 1e3 * took[-1],
        "others_busy_percent": 100 * meter.usage.disturbance(result.cpu_seconds),
    }
