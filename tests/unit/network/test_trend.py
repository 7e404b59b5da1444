"""Where a figure stands and where it goes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.network.trend import Trend, trend_after

VALUES = st.floats(0, 1e12)


def trend_of(values: list[float]) -> Trend:
    trend = None
    for value in values:
        trend = trend_after(trend, value)
    assert trend is not None
    return trend


@given(st.lists(VALUES, min_size=1, max_size=50))
def test_it_is_never_below_zero(values: list[float]) -> None:
    trend = trend_of(values)
    assert math.isfinite(trend.level)
    assert trend.level >= 0
    assert trend.next >= 0


@given(VALUES, st.integers(1, 20))
def test_what_stays_as_it_is_has_no_slope(value: float, count: int) -> None:
    assert (value, 0) == trend_of([value] * count)


@given(st.lists(VALUES, min_size=1, max_size=20), VALUES, VALUES)
def test_a_larger_measurement_is_never_a_smaller_level(
    before: list[float], one: float, other: float
) -> None:
    smaller, larger = (trend_of(before).after(each) for each in sorted((one, other)))
    assert smaller.level <= larger.level
    assert smaller.slope <= larger.slope


def test_what_grows_steadily_is_foreseen() -> None:
    trend = trend_of([float(value) for value in range(100, 10_000, 100)])

    assert pytest.approx(9_900, rel=0.001) == trend.level
    assert pytest.approx(10_000, rel=0.001) == trend.next


def test_what_was_not_measured_changes_nothing() -> None:
    assert trend_after(None, None) is None
    assert Trend(5.0, 1.0) == trend_after(Trend(5.0, 1.0), None)


def test_what_falls_is_not_foreseen_below_zero() -> None:
    falling = trend_of([100.0, 50.0, 0.0, 0.0])

    assert falling.level + falling.slope < 0
    assert 0 == falling.next
    assert 0 <= falling.after(0.0).level
