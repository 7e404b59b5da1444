"""A fast client in a crowd of slow ones: does either notice the other?"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from benchmarks.drivers.process import Driver
from benchmarks.drivers.timing import percentile
from benchmarks.drivers.trickle import TrickleJob, TrickleResult
from benchmarks.errors import TrialFailedError
from benchmarks.scenarios.base import GIB, MIB, WITH_PEERS, Bench, Case, Metric, Scale
from benchmarks.scenarios.bodies import BODY_METRICS, Appends
from benchmarks.servers import Target

_HEADS: Final = 50.0
_METRICS: Final = (
    *(metric for metric in BODY_METRICS if metric.key != "sender_busy_percent"),
    Metric(key="p50_ms", title="HEAD p50, ms", digits=1),
    Metric(key="p99_ms", title="HEAD p99, ms", digits=1, compared=True),
)


def cases(scale: Scale) -> list[Case]:
    """Return the one case: 1,000 slow senders and one of 1 GiB, or 100 and one of 128 MiB."""
    connections = scale.choose(1000, quick=100)
    seconds = scale.choose(20, quick=5)
    fast = Appends(count=1, length=scale.choose(GIB, quick=128 * MIB), timeout=300.0)

    def measure(bench: Bench, target: Target) -> Mapping[str, float]:
        return _measure(bench, target, connections, float(seconds), fast)

    return [
        Case(
            scenario="crowd",
            name="crowd",
            title=f"One PATCH of {fast.length // MIB} MiB among {connections:,} slow clients",
            method=f"Each slow one sends 1 KiB a second, for {seconds} s; meanwhile the fast one "
            "sends its body, and HEADs on another upload go out one after the other, at most "
            f"{_HEADS:.0f} a second. CPU is that of all while the fast one sends; the slow ones' "
            "sender counts as others.",
            metrics=_METRICS,
            sources=(fast.source_size,),
            room=3 * fast.size + connections * MIB,
            roles=WITH_PEERS,
            measure=measure,
        )
    ]


def _measure(
    bench: Bench, target: Target, connections: int, seconds: float, fast: Appends
) -> dict[str, float]:
    # Now, and not while the crowd waits.
    bench.source(fast.source_size).digest(0, fast.length)
    job = TrickleJob(port=target.port, connections=connections, seconds=seconds, heads=_HEADS)
    crowd = Driver(job, TrickleResult, timeout=60.0 + 2 * seconds)
    with crowd, ThreadPoolExecutor(1) as thread:
        trickled = thread.submit(crowd.go)
        metrics = fast.measure(bench, target)
        took = trickled.result().took
    if metrics["seconds"] > seconds:
        raise TrialFailedError("the crowd had gone before the fast client was done")
    return metrics | {"p50_ms": 1e3 * percentile(took, 50), "p99_ms": 1e3 * percentile(took, 99)}
