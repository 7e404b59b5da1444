"""Medians with their spread, and ratios to a baseline round by round."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.runner import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A median and what it lies between, over `count` rounds."""

    median: float
    low: float
    high: float
    count: int


def spread(values: Sequence[float]) -> Spread | None:
    """Return the spread of `values`; none where there are no values."""
    if not values:
        return None
    return Spread(
        median=statistics.median(values), low=min(values), high=max(values), count=len(values)
    )


class Results:
    """The trials of a run, asked by case, server and metric."""

    def __init__(self, trials: Iterable[Trial]) -> None:
        """Take the trials, failed ones too."""
        self.trials = list(trials)

    def spread_of(self, case: str, server: str, metric: str) -> Spread | None:
        """Return the spread of a metric over the rounds that gave one."""
        return spread(list(self._by_round(case, server, metric).values()))

    def ratio_of(self, case: str, server: str, metric: str, baseline: str) -> Spread | None:
        """Return the spread of the ratios to the baseline's figure of the same round.

        Two servers that ran one after the other saw the same machine; two rounds may not have.
        """
        own = self._by_round(case, server, metric)
        other = self._by_round(case, baseline, metric)
        return spread([own[number] / other[number] for number in own if other.get(number)])

    def failures_of(self, case: str, server: str) -> list[str]:
        """Return why trials failed, each reason once."""
        return _each_once(trial.failure for trial in self._of(case, server))

    def not_offered_by(self, case: str, server: str) -> list[str]:
        """Return what a case needs that a server does not do, each reason once."""
        return _each_once(trial.not_offered for trial in self._of(case, server))

    def _of(self, case: str, server: str) -> list[Trial]:
        return [trial for trial in self.trials if (trial.case, trial.server) == (case, server)]

    def _by_round(self, case: str, server: str, metric: str) -> dict[int, float]:
        return {
            trial.round: trial.figures[metric]
            for trial in self._of(case, server)
            if metric in trial.figures
        }


def _each_once(reasons: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(reason for reason in reasons if reason is not None))
