"""Creations of small uploads, without and with their bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from benchmarks import pages
from benchmarks.bodies import stored_files
from benchmarks.drivers.create import CreateJob, CreateResult
from benchmarks.drivers.process import Driver
from benchmarks.errors import TrialFailedError
from benchmarks.measure import Meter, Usage
from benchmarks.scenarios.base import DISTURBANCE, GIB, KIB, MB, Bench, Case, Metric, Scale
from benchmarks.servers import Target

_LENGTH: Final = 4 * KIB
_CONNECTIONS: Final = 16
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


def cases(scale: Scale) -> list[Case]:
    """Return two cases: plain creation, and creation with the whole upload in it."""
    return [
        _case("creation", 0, scale, f"Creation without body, Upload-Length {_LENGTH}"),
        _case("creation-with-upload", _LENGTH, scale, f"Creation with an upload of {_LENGTH} B"),
    ]


def _case(name: str, payload: int, scale: Scale, title: str) -> Case:
    seconds = scale.choose(3, quick=1)

    def measure(bench: Bench, target: Target) -> Mapping[str, float]:
        return _measure(bench, target, payload, float(seconds))

    return Case(
        scenario="small",
        name=name,
        title=title,
        method=f"{_CONNECTIONS} kept connections, on each the next request after the last "
        f"answer, for {seconds} s. Latency is that of this closed loop. A generator that is "
        "busy all the time would be the limit; it shares the cores with the server.",
        metrics=_METRICS,
        sources=(_LENGTH,),
        room=4 * GIB,
        peers=True,
        measure=measure,
    )


def _measure(bench: Bench, target: Target, payload: int, seconds: float) -> dict[str, float]:
    source = bench.source(_LENGTH)
    job = CreateJob(
        port=target.port,
        body=str(source.path),
        length=_LENGTH,
        payload=payload,
        connections=_CONNECTIONS,
        seconds=seconds,
        limit=_LIMIT,
    )
    warm_up, _ = _drive(replace(job, seconds=0.5), bench, target)
    result, usage = _drive(job, bench, target)
    if payload:
        _check_stored(bench, target, warm_up.created + result.created)
    return _metrics(result, usage)


def _drive(job: CreateJob, bench: Bench, target: Target) -> tuple[CreateResult, Usage]:
    os.sync()
    with Driver(job, CreateResult, timeout=job.seconds + 60.0) as driver:
        pages.claim(bench.folder, _PAGES)
        with Meter(target.pid) as meter:
            result = driver.go()
    return result, meter.usage


def _metrics(result: CreateResult, usage: Usage) -> dict[str, float]:
    return {
        "uploads_per_s": result.created / result.seconds,
        "cpu_us_per_upload": 1e6 * usage.cpu_seconds / result.created,
        "p50_ms": 1e3 * result.p50_seconds,
        "p99_ms": 1e3 * result.p99_seconds,
        "generator_busy_percent": 100 * result.cpu_seconds / result.seconds,
        "generator_us_per_upload": 1e6 * result.cpu_seconds / result.created,
        "others_busy_percent": 100 * usage.disturbance(result.cpu_seconds),
        "uploads": result.created,
        "seconds": result.seconds,
        "cpu_seconds": usage.cpu_seconds,
        "peak_rss_mb": usage.peak_rss / MB,
    }


def _check_stored(bench: Bench, target: Target, created: int) -> None:
    sent = bench.source(_LENGTH).path.read_bytes()
    files = list(stored_files(target.data, _LENGTH))
    if len(files) != created:
        raise TrialFailedError(f"{created} uploads were answered 201, {len(files)} are stored")
    if any(path.read_bytes() != sent for path in files):
        raise TrialFailedError("a stored upload does not hold what was sent")
