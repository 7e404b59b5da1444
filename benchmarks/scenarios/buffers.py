"""Our own server with buffers of one size, and with those that it chooses itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from benchmarks.scenarios import downloads, large
from benchmarks.scenarios.base import MIB, Case, Scale
from benchmarks.servers import Role

_SIZED: Final = frozenset({Role.SIZED})


def cases(scale: Scale) -> list[Case]:
    """Return two cases: one PATCH, and one download of the same size."""
    size = scale.large or scale.choose(1024, quick=256)
    upload, *_ = large.cases(replace(scale, large=size))
    download, *_ = downloads.of_length(size * MIB)
    return [_kept(upload, "buffers-upload"), _kept(download, "buffers-download")]


def _kept(case: Case, name: str) -> Case:
    method = f"{case.method} The servers are started once, and not for each trial."
    return replace(case, scenario="buffers", name=name, method=method, roles=_SIZED, kept=True)
