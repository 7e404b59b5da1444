"""Appends of large bodies: one at a time, and several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.scenarios.base import EVERYBODY, KIB, MIB, Bench, Case, Scale
from benchmarks.scenarios.bodies import BODY_METRICS, Appends
from benchmarks.servers import Target

# No body asked for has this size, so that neither is taken for the other.
_WARM_UP: Final = Appends(count=1, length=32 * MIB - 4 * KIB, timeout=60.0)
_PARALLEL: Final = ((8, 4), (16, 32))


def cases(scale: Scale) -> list[Case]:
    """Return three cases: a PATCH of 2 GiB, 8 at once of a quarter, 16 of a thirty-second.

    The large one has 256 MiB in a quick run, or is as large as asked.
    """
    size = scale.large or scale.choose(2048, quick=256)
    parallel = [_case(f"large-{count}", count, max(1, size // part)) for count, part in _PARALLEL]
    return [_case("large", 1, size), *parallel]


def _case(name: str, count: int, size: int) -> Case:
    appends = Appends(count=count, length=size * MIB, timeout=600.0)

    def measure(bench: Bench, target: Target) -> Mapping[str, float]:
        _WARM_UP.measure(bench, target)
        return appends.measure(bench, target)

    return Case(
        scenario="large",
        name=name,
        title=f"One PATCH of {size} MiB" if count == 1 else f"{count} PATCHes of {size} MiB each",
        method="A connection for each, all started at once; the sender uses sendfile from the "
        "page cache. Timed from the first byte of a request to the last answer.",
        metrics=BODY_METRICS,
        sources=(_WARM_UP.source_size, appends.source_size),
        room=_WARM_UP.length + 3 * appends.size,
        roles=EVERYBODY,
        measure=measure,
    )
