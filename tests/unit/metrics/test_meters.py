"""What is counted is told, as Prometheus's own parser reads it."""

import pytest

from tests.support.metrics import Page, parsed
from tusd_py.metrics import Meters
from tusd_py.metrics.exposition import page
from tusd_py.metrics.shared import Reading
from tusd_py.metrics.table import TABLE, Kind
from tusd_py.quantities import GiB, KiB, MiB

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def told(*readings: Reading, **samples: float) -> Page:
    text, media_type = page(readings, samples, "1.2.3", "")
    assert "text/plain; version=0.0.4; charset=utf-8" == media_type
    return parsed(text.decode())


def read(meters: Meters) -> Page:
    return told(Reading(meters.values))


def test_requests_are_counted_by_method_and_status() -> None:
    meters = Meters()
    meters.request("POST", 201, 0.004)
    meters.request("POST", 201, 0.004)
    meters.request("HEAD", 423, 20.0, "upload-locked")
    page = read(meters)

    assert 2 == page.get("requests_total", method="POST", status="201")
    assert 1 == page.get("requests_total", method="HEAD", status="423")
    assert 3 == page.get("requests_total")
    assert 1 == page.get("errors_total", code="upload-locked")
    assert 20.0 == page.get("request_duration_seconds_sum", method="HEAD")


def test_what_nobody_foresaw_counts_as_other() -> None:
    meters = Meters()
    meters.request("BREW", 201, 0.1)
    meters.request("POST", 418, 0.1, "teapot")
    meters.hook("unheard-of", "ok", 0.1)
    page = read(meters)

    assert 1 == page.get("requests_total", method="other", status="201")
    assert 1 == page.get("requests_total", method="POST", status="other")
    assert 1 == page.get("errors_total", code="other")
    assert 1 == page.get("hook_calls_total", hook="other", outcome="ok")


@pytest.mark.parametrize(
    ("size", "bound", "below"),
    [(KiB, "1024.0", 1), (KiB + 1, "1024.0", 0), (KiB + 1, "16384.0", 1), (99 * GiB, "+Inf", 1)],
)
def test_a_bucket_holds_what_is_no_larger(size: int, bound: str, below: int) -> None:
    meters = Meters()
    meters.transfer(size, 0.0)
    page = read(meters)

    assert below == page.get("chunk_size_bytes_bucket", le=bound)
    assert (1, size) == (page.get("chunk_size_bytes_count"), page.get("chunk_size_bytes_sum"))


def test_bounds_are_whole() -> None:
    bounds = {
        float(sample.labels["le"])
        for sample in read(Meters()).families["tusd_py_chunk_size_bytes"].samples
        if "le" in sample.labels
    }
    assert {KiB, MiB, 16 * GiB} <= bounds


def test_small_bodies_have_no_rate() -> None:
    meters = Meters()
    meters.transfer(5, 0.001)
    meters.transfer(8 * MiB, 2.0)
    page = read(meters)

    assert 1 == page.get("transfer_throughput_bytes_per_second_count")
    assert 4 * MiB == page.get("transfer_throughput_bytes_per_second_sum")


def test_everything_without_labels_is_there_from_the_start() -> None:
    families = read(Meters()).families
    expected = {f"tusd_py_{metric.name}" for metric in TABLE}

    assert expected <= set(families)
    assert "tusd_py_build_info" in families
    labelled = [metric.name for metric in TABLE if metric.labels]
    assert [] == [name for name in labelled if families[f"tusd_py_{name}"].samples]


def test_several_processes_are_told_as_one() -> None:
    one, other, dead = Meters(), Meters(), Meters()
    for meters in (one, other, dead):
        meters.received.add(5)
        meters.transfers.set(2)
        meters.transfer(5, 0.0)
    one.last_sweep.set(100.0)
    other.last_sweep.set(90.0)
    page = told(Reading(one.values), Reading(other.values), Reading(dead.values, alive=False))

    assert 15 == page.get("received_bytes_total")
    assert 3 == page.get("chunk_size_bytes_count")
    assert 4 == page.get("transfers_active")
    assert 100.0 == page.get("last_sweep_timestamp_seconds")
    assert 2 == page.get("processes")


def test_one_process_tells_of_itself_and_several_do_not() -> None:
    assert "process_resident_memory_bytes" in read(Meters()).families
    assert "process_resident_memory_bytes" not in told(*[Reading(Meters().values)] * 2).families


def test_samples_are_gauges() -> None:
    page = told(Reading(Meters().values), storage_free_bytes=7.0)
    assert 7.0 == page.get("storage_free_bytes")


def test_openmetrics_is_told_to_who_asks() -> None:
    meters = Meters()
    meters.request("POST", 201, 0.004)
    text, media_type = page([Reading(meters.values)], {"outbox_events": 1}, "1", OPENMETRICS)

    assert media_type.startswith("application/openmetrics-text; version=1.0.0")
    assert 1 == parsed(text.decode(), openmetrics=True).get("requests_total")


def test_no_kind_of_metric_is_forgotten() -> None:
    families = read(Meters()).families
    types = {Kind.COUNTER: "counter", Kind.HISTOGRAM: "histogram"}
    for metric in TABLE:
        assert types.get(metric.kind, "gauge") == families[f"tusd_py_{metric.name}"].type
