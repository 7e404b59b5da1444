"""A `results.json`, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.errors import UnreadableError
from benchmarks.report import FORMAT
from benchmarks.scenarios.base import Metric
from benchmarks.summary import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCase:
    """A table of a run: its columns, and the figures of each server by column."""

    name: str
    title: str
    metrics: tuple[Metric, ...]
    servers: Mapping[str, Mapping[str, Spread]]

    @property
    def main_metric(self) -> Metric:
        """The first column that servers are compared by, or simply the first."""
        return next((metric for metric in self.metrics if metric.compared), self.metrics[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A run."""

    started: str
    machine: Mapping[str, str]
    options: Mapping[str, object]
    roles: Mapping[str, str]
    cases: Mapping[str, SavedCase]


def load(path: Path) -> Saved:
    """Read a `results.json`.

    Raises:
        UnreadableError: it cannot be read, or is of another kind or format.
    """
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableError(f"{path} is no results.json of format {FORMAT}") from error


def parse(content: Mapping[str, Any]) -> Saved:
    """Return the run that the content of a `results.json` tells of.

    Raises:
        ValueError: it has another format.
        KeyError: something is not there.
        TypeError: something is of another type.
    """
    if content["format"] != FORMAT:
        raise ValueError(content["format"])
    return Saved(
        started=content["started"],
        machine=content["machine"],
        options=content["options"],
        roles={server["name"]: server["role"] for server in content["servers"]},
        cases={case["name"]: _case(case) for case in content["cases"]},
    )


def _case(content: Mapping[str, Any]) -> SavedCase:
    metrics = tuple(Metric(**metric) for metric in content["metrics"])
    keys = [metric.key for metric in metrics]
    return SavedCase(
        name=content["name"],
        title=content["title"],
        metrics=metrics,
        servers={
            name: {key: _spread(found[key]) for key in keys if found[key] is not None}
            for name, found in content["servers"].items()
        },
    )


def _spread(content: Mapping[str, Any]) -> Spread:
    return Spread(**{name: value for name, value in content.items() if name != "ratios"})
