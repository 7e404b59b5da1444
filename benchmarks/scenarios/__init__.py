"""What gets measured. A new scenario is a module here that returns its cases, and a line below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from benchmarks.scenarios import (
    buffers,
    chunks,
    concurrent,
    crowd,
    downloads,
    growth,
    large,
    small,
    soak,
    takeover,
    trickle,
)
from benchmarks.scenarios.base import Case, Scale

SCENARIOS: Final[Mapping[str, Callable[[Scale], list[Case]]]] = {
    "large": large.cases,
    "checksums": chunks.with_checksums,
    "chunks": chunks.plain,
    "small": small.cases,
    "downloads": downloads.cases,
    "buffers": buffers.cases,
    "crowd": crowd.cases,
    "concurrent": concurrent.cases,
    "takeover": takeover.cases,
    "trickle": trickle.cases,
    "growth": growth.cases,
    "soak": soak.cases,
}
# They take many minutes for each server and round.
LONG: Final = frozenset({"buffers", "growth", "soak"})
