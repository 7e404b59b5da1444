"""What every scenario is made of."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from benchmarks import pages
from benchmarks.bodies import Source
from benchmarks.drivers.process import Driver
from benchmarks.measure import Meter, Usage
from benchmarks.servers import Role, Target

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    class Timed(DataclassInstance, Protocol):
        """A driver's result: how long it worked, and what it spent itself."""

        @property
        def seconds(self) -> float: ...
        @property
        def cpu_seconds(self) -> float: ...


KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB
MB: Final = 1_000_000

JUST_OURS: Final = frozenset({Role.OURS})
WITH_PEERS: Final = frozenset({Role.OURS, Role.PEER})
EVERYBODY: Final = frozenset(Role)

_Job = TypeVar("_Job", bound="DataclassInstance")
_Result = TypeVar("_Result", bound="Timed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much work a run is: the whole of it, or a quick look; `large` is a size in MiB."""

    quick: bool
    large: int | None = None

    def choose(self, whole: int, quick: int) -> int:
        """Return the one that applies."""
        return quick if self.quick else whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A column: where `compared`, its ratios to the baseline and the limit stand beside it.

    Where there is a `limit`, our own servers must stay below it.
    """

    key: str
    title: str
    digits: int = 0
    compared: bool = False
    limit: float | None = None


@dataclass(slots=True, kw_only=True)
class Bench:
    """What the trials of a run share: a folder on the disk, and sources of random bytes."""

    folder: Path
    _sources: dict[int, Source] = field(default_factory=dict)

    def source(self, size: int) -> Source:
        """Return a file of `size` random bytes, made once."""
        if size not in self._sources:
            self._sources[size] = Source(self.folder / f"source-{size}", size)
        return self._sources[size]


Measure = Callable[[Bench, Target], Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One table: what is done to each server, and what comes of it.

    `measure` warms the server up, measures it and checks what it stored; it finds `sources` of
    these sizes made. `room` is the disk space in bytes that a trial needs at most. Servers of
    these `roles` take part; where they are `kept`, they run from its first trial to its last.
    """

    scenario: str
    name: str
    title: str
    method: str
    metrics: tuple[Metric, ...]
    sources: tuple[int, ...]
    room: int
    roles: frozenset[Role]
    measure: Measure
    kept: bool = False


def drive(
    bench: Bench, target: Target, driver: Driver[_Job, _Result], *, claim: int = 0
) -> tuple[_Result, Usage]:
    """Let a driver work on a server and meter that, with memory for `claim` bytes at hand.

    Raises:
        DriverFailedError: it met a wrong answer, or took too long.
    """
    os.sync()
    with driver:
        pages.claim(bench.folder, claim)
        with Meter(target.pid) as meter:
            result = driver.go()
    return result, meter.usage


# A machine that does other things too makes poor figures: they should say so themselves.
DISTURBANCE: Final = Metric(key="others_busy_percent", title="others busy, %")


def disturbance(result: Timed, usage: Usage) -> dict[str, float]:
    """Return the figure of `DISTURBANCE`."""
    return {DISTURBANCE.key: 100 * usage.disturbance(result.cpu_seconds)}
