"""The numbers of a process, and what is counted in them.

A count is an addition to a number at a place that is known from the start. Only the thread of the
event loop counts, so that nothing here needs a lock.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Protocol

from .table import TABLE, Metric


class Values(Protocol):
    """The numbers of a process."""

    def __getitem__(self, place: int, /) -> float: ...

    def __setitem__(self, place: int, value: float, /) -> None: ...


class Counter:
    """A number; a gauge too."""

    __slots__ = ("_place", "_values")

    def __init__(self, values: Values, place: int) -> None:
        self._values = values
        self._place = place

    def add(self, amount: float = 1) -> None:
        """Make it more, or if it is a gauge less."""
        self._values[self._place] += amount

    def set(self, value: float) -> None:
        """Give a gauge its value."""
        self._values[self._place] = value


class Histogram:
    """Numbers of observations by size, and their sum."""

    __slots__ = ("_bounds", "_place", "_sum", "_values")

    def __init__(self, values: Values, place: int, bounds: Sequence[float]) -> None:
        self._values = values
        self._place = place
        self._bounds = bounds
        self._sum = place + len(bounds) + 1

    def observe(self, value: float) -> None:
        """Count one."""
        self._values[self._place + bisect_left(self._bounds, value)] += 1
        self._values[self._sum] += value


class Series:
    """What is counted in the numbers of a process, by its name in the table.

    Args:
        values: The numbers.
    """

    def __init__(self, values: Values) -> None:
        self._values = values

    def counter(self, name: str) -> Counter:
        """One without labels; a gauge too."""
        return self.counters(name)[()]

    def counters(self, name: str) -> dict[tuple[str, ...], Counter]:
        """Those of a metric, by the values of its labels."""
        return {labels: Counter(self._values, place) for labels, place in places(_BY_NAME[name])}

    def histogram(self, name: str) -> Histogram:
        """One without labels."""
        return self.histograms(name)[()]

    def histograms(self, name: str) -> dict[tuple[str, ...], Histogram]:
        """Those of a metric, by the values of its labels."""
        metric = _BY_NAME[name]
        return {
            labels: Histogram(self._values, place, metric.buckets)
            for labels, place in places(metric)
        }


_BY_NAME = {metric.name: metric for metric in TABLE}
_SIZES = [metric.size * len(metric.series) for metric in TABLE]
_FIRST = {
    metric.name: first for metric, first in zip(TABLE, accumulate(_SIZES, initial=0), strict=False)
}


def places(metric: Metric) -> Iterator[tuple[tuple[str, ...], int]]:
    """Where the numbers of each series of a metric begin."""
    first = _FIRST[metric.name]
    for index, labels in enumerate(metric.series):
        yield labels, first + index * metric.size
