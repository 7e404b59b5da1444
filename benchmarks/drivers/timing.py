"""Time as drivers measure it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self


class Stopwatch:
    """Context manager: wall time and this process's CPU time from entry to exit, in seconds."""

    seconds: float
    cpu_seconds: float

    def __enter__(self) -> Self:
        self._cpu, self._start = time.process_time(), time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self._start
        self.cpu_seconds = time.process_time() - self._cpu


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that `percent` of these are not above; they need no order."""
    return sorted(values)[min(len(values) * percent // 100, len(values) - 1)]
