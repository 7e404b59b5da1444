"""Many appends at the same time, at full speed: what they cost in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from benchmarks.scenarios.base import JUST_OURS, MIB, Bench, Case, Metric, Scale
from benchmarks.scenarios.bodies import BODY_METRICS, Appends
from benchmarks.servers import Target

_COUNT: Final = 200
_RSS_LIMIT_MB: Final = 200.0
_WARM_UP: Final = Appends(count=4, length=MIB, timeout=60.0)


def cases(scale: Scale) -> list[Case]:
    """Return the one case: 200 PATCHes of 16 MiB, or quick ones of 2 MiB."""
    size = scale.choose(16, quick=2)
    appends = Appends(count=_COUNT, length=size * MIB, timeout=300.0)

    def measure(bench: Bench, target: Target) -> Mapping[str, float]:
        _WARM_UP.measure(bench, target)
        return appends.measure(bench, target)

    return [
        Case(
            scenario="concurrent",
            name="concurrent",
            title=f"{_COUNT} concurrent PATCHes of {size} MiB each",
            method="A connection for each, all started at once; timed until the last answer. "
            f"Our own peak memory has to stay below {_RSS_LIMIT_MB:.0f} MB.",
            metrics=tuple(_limited(metric) for metric in BODY_METRICS),
            sources=(_WARM_UP.source_size, appends.source_size),
            room=3 * appends.size,
            roles=JUST_OURS,
            measure=measure,
        )
    ]


def _limited(metric: Metric) -> Metric:
    return replace(metric, limit=_RSS_LIMIT_MB) if metric.key == "peak_rss_mb" else metric
