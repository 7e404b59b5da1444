"""Servers with many uploads: what they answer how soon, and how soon they start."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.drivers.ask import AskJob, AskResult
from benchmarks.drivers.fill import FillJob, FillResult
from benchmarks.drivers.manage import ManageJob, ManageResult
from benchmarks.drivers.process import Driver
from benchmarks.drivers.timing import percentile
from benchmarks.errors import TrialFailedError
from benchmarks.measure import rss
from benchmarks.processes import process_tree
from benchmarks.scenarios.base import (
    DISTURBANCE,
    GIB,
    JUST_OURS,
    KIB,
    MB,
    Bench,
    Case,
    Metric,
    Scale,
    disturbance,
    drive,
)
from benchmarks.servers import Role, Server, Target, running

_ASKED: Final = 500
_LISTS: Final = 50
_FILL_SECONDS: Final = 3600.0
_SETTLE_SECONDS: Final = 1.0
_METRICS: Final = (
    Metric(key="create_ms", title="create p50, ms", digits=2),
    Metric(key="create_p99_ms", title="p99", digits=2),
    Metric(key="head_ms", title="HEAD p50, ms", digits=2),
    Metric(key="head_p99_ms", title="p99", digits=2),
    Metric(key="list_ms", title="list p50, ms", digits=2),
    Metric(key="sweep_ms", title="sweep, ms", digits=1),
    Metric(key="start_s", title="start, s", digits=2),
    Metric(key="idle_rss_mb", title="idle RSS, MB"),
    Metric(key="empty_rss_mb", title="when empty"),
    DISTURBANCE,
)


def cases(scale: Scale) -> list[Case]:
    """Return three cases: 1 thousand, 100 thousand and 1 million uploads, or quick small ones."""
    counts = (100, 1_000) if scale.quick else (1_000, 100_000, 1_000_000)
    return [_case(count) for count in counts]


def _case(count: int) -> Case:
    def measure(bench: Bench, target: Target) -> Mapping[str, float]:
        return _measure(bench, target, count)

    return Case(
        scenario="growth",
        name=f"growth-{count}",
        title=f"A server with {count:,} uploads",
        method=f"Filled over HTTP with uploads that have no bytes yet, then started again: "
        f"{_ASKED} creations and {_ASKED} HEADs on uploads from all over, one after the other. "
        f"Lists are pages of 100 after some of them, taken by an application on the same folder; "
        "the sweep finds nothing expired. The start lasts until the first answer.",
        metrics=_METRICS,
        sources=(),
        room=GIB + count * 6 * KIB,
        roles=JUST_OURS,
        measure=measure,
    )


def _measure(bench: Bench, target: Target, count: int) -> dict[str, float]:
    empty = _idle_rss(target)
    folder = target.data.parent / "grown"
    folder.mkdir()
    paths = _fill(target.server, folder, count)
    metrics = _ask(bench, target.server, folder, paths)
    if target.server.role is Role.OURS:
        metrics |= _manage(folder / "data", paths)
    return metrics | {"empty_rss_mb": empty / MB}


def _fill(server: Server, folder: Path, count: int) -> list[str]:
    with running(server, folder) as target:
        kept = min(count, _ASKED)
        job = FillJob(port=target.port, uploads=count, kept=kept, seconds=_FILL_SECONDS)
        with Driver(job, FillResult, timeout=_FILL_SECONDS + 60.0) as driver:
            result = driver.go()
    if result.made != count:
        raise TrialFailedError(f"{result.made:,} uploads were made instead of {count:,}")
    return result.paths


def _ask(bench: Bench, server: Server, folder: Path, paths: list[str]) -> dict[str, float]:
    with running(server, folder) as target:
        idle = _idle_rss(target)
        job = AskJob(port=target.port, paths=paths)
        result, usage = drive(bench, target, Driver(job, AskResult, timeout=120.0))
    return {
        "create_ms": 1e3 * percentile(result.creations, 50),
        "create_p99_ms": 1e3 * percentile(result.creations, 99),
        "head_ms": 1e3 * percentile(result.heads, 50),
        "head_p99_ms": 1e3 * percentile(result.heads, 99),
        "start_s": target.start_seconds,
        "idle_rss_mb": idle / MB,
        **disturbance(result, usage),
    }


def _manage(data: Path, paths: list[str]) -> dict[str, float]:
    ids = [path.rpartition("/")[2] for path in paths[:: max(1, len(paths) // _LISTS)]]
    job = ManageJob(folder=str(data), ids=ids)
    with Driver(job, ManageResult, timeout=600.0) as driver:
        result = driver.go()
    return {"list_ms": 1e3 * percentile(result.lists, 50), "sweep_ms": 1e3 * result.sweep}


def _idle_rss(target: Target) -> int:
    time.sleep(_SETTLE_SECONDS)
    return sum(rss(member) for member in process_tree(target.pid))
