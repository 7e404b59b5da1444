"""One append of a large body."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.scenarios.base import (
    APPEND_METRICS,
    MIB,
    Appends,
    Bench,
    Case,
    Scale,
    append_metrics,
)
from benchmarks.servers import Target

_WARM_UP = Appends(count=1, length=32 * MIB, timeout=60.0)


def cases(scale: Scale) -> list[Case]:
    """Return the one case: a PATCH of 2 GiB, or a quick one of 256 MiB, or as large as asked."""
    size = scale.large or scale.choose(2048, quick=256)
    append = Appends(count=1, length=size * MIB, timeout=300.0)

    def measure(bench: Bench, target: Target) -> Mapping[str, float]:
        _WARM_UP.measure(bench, target)
        result, usage = append.measure(bench, target)
        return append_metrics(append, result, usage)

    return [
        Case(
            scenario="large",
            name="large",
            title=f"One PATCH of {size} MiB",
            method="One connection; the sender uses sendfile from the page cache. Timed from the "
            "first byte of the request to the answer.",
            metrics=APPEND_METRICS,
            sources=(_WARM_UP.source_size, append.source_size),
            room=4 * append.length,
            peers=True,
            measure=measure,
        )
    ]
