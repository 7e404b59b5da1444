"""What gets measured. A new scenario is a module here that returns its cases, and a line below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from benchmarks.scenarios import concurrent, large, small, soak, takeover, trickle
from benchmarks.scenarios.base import Case, Scale

SCENARIOS: Final[Mapping[str, Callable[[Scale], list[Case]]]] = {
    "large": large.cases,
    "concurrent": concurrent.cases,
    "small": small.cases,
    "takeover": takeover.cases,
    "trickle": trickle.cases,
    "soak": soak.cases,
}
