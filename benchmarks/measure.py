"""CPU time and memory of a server's process tree while a driver works on it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from benchmarks.processes import process_tree

_SAMPLE_EVERY: Final = 0.02
# Work that a server puts off until after its answer belongs to the upload all the same.
_AFTERMATH: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a process tree spent and held.

    `sampled_rss` is the largest sum seen by sampling. `high_water_rss` is the kernel's own mark
    since the start of each process (``VmHWM``), summed; none where the kernel keeps none.
    `other_cpu_seconds` is what all else on the machine spent meanwhile, but for the harness.
    """

    seconds: float
    cpu_seconds: float
    other_cpu_seconds: float
    sampled_rss: int
    high_water_rss: int | None

    @property
    def peak_rss(self) -> int:
        """The larger of the two: sampling misses short peaks, the kernel's mark does not."""
        return max(self.sampled_rss, self.high_water_rss or 0)

    def disturbance(self, driver_cpu_seconds: float) -> float:
        """Share of one core that neither server, driver nor harness used: the machine's noise."""
        return max(0.0, self.other_cpu_seconds - driver_cpu_seconds) / self.seconds


@dataclass(frozen=True, slots=True)
class _Clocks:
    wall: float = 0.0
    server: float = 0.0
    harness: float = 0.0
    machine: float = 0.0

    @classmethod
    def read(cls, tree: list[psutil.Process]) -> Self:
        return cls(time.perf_counter(), _cpu_seconds(tree), time.process_time(), _busy_seconds())


class Meter:
    """Context manager that meters the process tree of `pid` from entry to exit."""

    def __init__(self, pid: int) -> None:
        """Prepare to meter the tree of `pid`; nothing is read before entry."""
        self._pid = pid
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._tree: list[psutil.Process] = []
        self._before = _Clocks()
        self._sampled = 0
        self._usage: Usage | None = None

    def __enter__(self) -> Self:
        self._tree = process_tree(self._pid)
        self._sampler.start()
        self._before = _Clocks.read(self._tree)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            time.sleep(_AFTERMATH)
        self._done.set()
        self._sampler.join()
        tree = process_tree(self._pid)
        before, after = self._before, _Clocks.read(tree)
        own = after.server - before.server
        harness = after.harness - before.harness
        self._usage = Usage(
            seconds=after.wall - before.wall,
            cpu_seconds=own,
            other_cpu_seconds=after.machine - before.machine - own - harness,
            sampled_rss=self._sampled,
            high_water_rss=_high_water(tree),
        )

    @property
    def usage(self) -> Usage:
        """What was used between entry and exit."""
        if self._usage is None:
            raise RuntimeError("the meter is still running")
        return self._usage

    def _sample(self) -> None:
        # Looking for new children means reading all of /proc, so the tree is the one of entry;
        # children born later are seen by the high-water mark.
        while not self._done.wait(_SAMPLE_EVERY):
            self._sampled = max(self._sampled, sum(rss(member) for member in self._tree))


def rss(process: psutil.Process) -> int:
    """Return the resident set in bytes; 0 where the process is gone."""
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def _cpu_seconds(tree: list[psutil.Process]) -> float:
    total = 0.0
    for member in tree:
        try:
            times = member.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _busy_seconds() -> float:
    # Time for guests counts as user time already.
    times = psutil.cpu_times()
    return sum(
        getattr(times, kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq", "steal")
    )


def _high_water(tree: list[psutil.Process]) -> int | None:
    marks = [_high_water_of(member.pid) for member in tree]
    known = [mark for mark in marks if mark is not None]
    return sum(known) if known else None


def _high_water_of(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None
