"""The names are as Prometheus wants them, and every series has a place of its own."""

import re

import pytest

from tusd_py import errors
from tusd_py.metrics.numbers import places
from tusd_py.metrics.table import METHODS, OTHER, SIZE, TABLE, Kind, Metric, codes

UNITS = ("_seconds", "_bytes", "_bytes_per_second", "_ratio")


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.name)
def test_a_metric_keeps_to_the_conventions(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", metric.name)
    assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket"))
    assert re.fullmatch(r"[A-Z].*\.", metric.help)
    assert all(len(metric.labels) == len(series) for series in metric.series)
    assert len(metric.series) == len(set(metric.series))
    if metric.kind is Kind.HISTOGRAM:
        assert metric.name.endswith(UNITS)
        assert [*metric.buckets] == sorted(set(metric.buckets))


def test_no_two_series_share_a_place() -> None:
    taken = [
        place + index
        for metric in TABLE
        for _, place in places(metric)
        for index in range(metric.size)
    ]
    assert [*range(SIZE)] == sorted(taken)


def test_what_clients_and_applications_choose_is_no_label() -> None:
    assert OTHER in METHODS
    assert {errors.OffsetMismatch.code, errors.StorageFull.code, OTHER} <= set(codes())
    assert SIZE < 2000
