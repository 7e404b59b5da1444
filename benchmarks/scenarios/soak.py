"""Minutes of uploads that are cut and go on: is every file whole, and does memory stay flat?"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Final

from benchmarks.drivers.process import Driver
from benchmarks.drivers.soak import SoakJob, SoakResult
from benchmarks.measure import rss
from benchmarks.processes import process_tree
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

_CLIENTS: Final = 64
_LARGEST: Final = 64 * MIB
_SOURCE: Final = 2 * _LARGEST
_SAMPLE_EVERY: Final = 0.25
_METRICS: Final = (
    Metric(key="uploads", title="whole files"),
    Metric(key="cuts", title="cuts"),
    Metric(key="mib_per_s", title="MiB/s"),
    Metric(key="rss_start_mb", title="RSS at the start, MB"),
    Metric(key="rss_middle_mb", title="in the middle"),
    Metric(key="rss_end_mb", title="at the end"),
    DISTURBANCE,
)


def cases(scale: Scale) -> list[Case]:
    """Return the one case: 1,000 uploads over five minutes, or 40 over ten seconds."""
    uploads = scale.choose(1000, quick=40)
    seconds = scale.choose(300, quick=10)

    def measure(bench: Bench, target: Target) -> Mapping[str, float]:
        return _measure(bench, target, uploads, float(seconds))

    return [
        Case(
            scenario="soak",
            name="soak",
            title=f"{uploads} uploads of 1 to {_LARGEST // MIB} MiB by {_CLIENTS} clients",
            method=f"Spread over {seconds} s, each cut up to four times at random places, by an "
            "end or a reset of its connection, and gone on after a HEAD. Every file is read back, "
            "compared and deleted. Memory is the median over the second, middle and last tenth of "
            "the time.",
            metrics=_METRICS,
            sources=(_SOURCE,),
            room=_CLIENTS * _LARGEST,
            roles=JUST_OURS,
            measure=measure,
        )
    ]


def _measure(bench: Bench, target: Target, uploads: int, seconds: float) -> dict[str, float]:
    job = SoakJob(
        port=target.port,
        body=str(bench.source(_SOURCE).path),
        uploads=uploads,
        clients=_CLIENTS,
        smallest=MIB,
        largest=_LARGEST,
        seconds=seconds,
        seed=1,
    )
    driver = Driver(job, SoakResult, timeout=10 * seconds + 60.0)
    with _sampled(target.pid) as samples:
        result, usage = drive(bench, target, driver)
    return {
        "uploads": result.uploads,
        "cuts": result.cuts,
        "mib_per_s": result.bytes / MIB / result.seconds,
        "rss_start_mb": _typical(samples, 0.1) / MB,
        "rss_middle_mb": _typical(samples, 0.45) / MB,
        "rss_end_mb": _typical(samples, 0.9) / MB,
        **disturbance(result, usage),
    }


def _typical(samples: Sequence[int], share: float) -> float:
    """The median of a tenth of the samples, from this share of them on."""
    first = int(len(samples) * share)
    return median(samples[first : first + max(1, len(samples) // 10)])


@contextmanager
def _sampled(pid: int) -> Iterator[list[int]]:
    """Collect the resident set of a process tree in bytes, all the time."""
    samples: list[int] = []
    done = threading.Event()
    members = process_tree(pid)

    def sample() -> None:
        while not done.wait(_SAMPLE_EVERY):
            samples.append(sum(rss(member) for member in members))

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield samples
    finally:
        done.set()
        sampler.join()
