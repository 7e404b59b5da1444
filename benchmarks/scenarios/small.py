"""Small uploads: created, created with their bytes, and created, appended to and asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from benchmarks import limits
from benchmarks.bodies import stored_files
from benchmarks.drivers.process import Driver
from benchmarks.drivers.small import SmallJob, SmallResult
from benchmarks.errors import TrialFailedError
from benchmarks.measure import Usage
from benchmarks.scenarios.base import (
    DISTURBANCE,
    GIB,
    KIB,
    MB,
    WITH_PEERS,
    Bench,
    Case,
    Metric,
    Scale,
    disturbance,
    drive,
)
from benchmarks.servers import Role, Target

_LENGTH: Final = 4 * KIB
_CONNECTIONS: Final = (16, 1, 128)
# Ends a trial early on a machine so fast that its file system would drown in small files.
_LIMIT: Final = 250_000
# More than the files, their directories and inodes take within one trial.
_PAGES: Final = GIB
_METRICS: Final = (
    Metric(key="uploads_per_s", title="uploads/s", compared=True),
    Metric(key="cpu_us_per_upload", title="CPU µs/upload", compared=True),
    Metric(key="p50_ms", title="p50, ms", digits=2),
    Metric(key="p99_ms", title="p99, ms", digits=2),
    Metric(key="generator_busy_percent", title="generator busy, %"),
    DISTURBANCE,
)
_SYNC_METRICS: Final = (
    Metric(key="bare_syncs_per_s", title="bare syncs, uploads/s"),
    Metric(key="of_bare_syncs", title="÷ bare syncs", digits=2),
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A way to make a small upload, with its first `payload` bytes in the creation."""

    name: str
    title: str
    payload: int = 0
    goes_on: bool = False

    @property
    def has_bytes(self) -> bool:
        return self.goes_on or self.payload > 0


_KINDS: Final = (
    _Kind("creation", f"Creation without body, Upload-Length {_LENGTH}"),
    _Kind("creation-with-upload", f"Creation with an upload of {_LENGTH} B", payload=_LENGTH),
    _Kind("create-patch-head", f"Creation, PATCH of {_LENGTH} B and HEAD", goes_on=True),
)


def cases(scale: Scale) -> list[Case]:
    """Return a case for each way to make small uploads on 16, one and 128 connections."""
    return [_case(kind, count, scale) for kind in _KINDS for count in _CONNECTIONS]


def _case(kind: _Kind, connections: int, scale: Scale) -> Case:
    seconds = scale.choose(3, quick=1)

    def measure(bench: Bench, target: Target) -> Mapping[str, float]:
        job = SmallJob(
            port=target.port,
            body=str(bench.source(_LENGTH).path),
            length=_LENGTH,
            payload=kind.payload,
            goes_on=kind.goes_on,
            connections=connections,
            seconds=float(seconds),
            limit=_LIMIT,
            keys=str(target.data.parent / target.server.keys) if target.server.keys else "",
        )
        return _measure(bench, target, job, checked=kind.has_bytes)

    return Case(
        scenario="small",
        name=f"{kind.name}-{connections}",
        title=f"{kind.title}, {connections} connection{'s' if connections > 1 else ''}",
        method=f"Kept connections, on each the next request after the last answer, for {seconds} "
        "s. Latency is that of this closed loop, for the whole upload. A generator that is busy "
        "all the time would be the limit; it shares the cores with the server."
        + (_SYNC_METHOD if kind.payload else ""),
        metrics=_METRICS + (_SYNC_METRICS if kind.payload else ()),
        sources=(_LENGTH,),
        room=4 * GIB,
        roles=WITH_PEERS | {Role.GUARDED},
        measure=measure,
    )


_SYNC_METHOD: Final = (
    " Bare syncs are a loop without a server: in each round as many files as there are "
    "connections, each written and synced by a thread, and one sync each for the note of what "
    "comes, the folder and the records."
)


def _measure(bench: Bench, target: Target, job: SmallJob, *, checked: bool) -> dict[str, float]:
    warm_up, _ = _drive(replace(job, seconds=0.5), bench, target)
    result, usage = _drive(job, bench, target)
    metrics = _metrics(result, usage)
    if checked:
        _check_stored(bench, target, warm_up.made + result.made)
    if job.payload and target.server.durable:
        sent = bench.source(_LENGTH).path.read_bytes()
        rate = limits.sync_rate(target.data.parent, sent, job.connections, job.seconds)
        metrics |= {"bare_syncs_per_s": rate, "of_bare_syncs": metrics["uploads_per_s"] / rate}
    return metrics


def _drive(job: SmallJob, bench: Bench, target: Target) -> tuple[SmallResult, Usage]:
    driver = Driver(job, SmallResult, timeout=job.seconds + 60.0)
    return drive(bench, target, driver, claim=_PAGES)


def _metrics(result: SmallResult, usage: Usage) -> dict[str, float]:
    return {
        "uploads_per_s": result.made / result.seconds,
        "cpu_us_per_upload": 1e6 * usage.cpu_seconds / result.made,
        "p50_ms": 1e3 * result.p50_seconds,
        "p99_ms": 1e3 * result.p99_seconds,
        "generator_busy_percent": 100 * result.cpu_seconds / result.seconds,
        "generator_us_per_upload": 1e6 * result.cpu_seconds / result.made,
        **disturbance(result, usage),
        "uploads": result.made,
        "seconds": result.seconds,
        "cpu_seconds": usage.cpu_seconds,
        "peak_rss_mb": usage.peak_rss / MB,
    }


def _check_stored(bench: Bench, target: Target, made: int) -> None:
    sent = bench.source(_LENGTH).path.read_bytes()
    files = list(stored_files(target.data, _LENGTH))
    if len(files) != made:
        raise TrialFailedError(f"{made} uploads were answered as complete, {len(files)} are stored")
    if any(path.read_bytes() != sent for path in files):
        raise TrialFailedError("a stored upload does not hold what was sent")
