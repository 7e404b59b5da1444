"""One figure from many, and many figures from what the kernel counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.network.interfaces import Counters
from tusd_py.network.meter import Meter
from tusd_py.network.quality import Quality, loss_of, of_download, of_upload, score
from tusd_py.network.tcpinfo import TcpInfo

COUNTERS = Counters(
    bytes_sent=0, bytes_received=0, packets_sent=0, packets_received=0, errors=0, drops=0
)
INFO = TcpInfo(
    rtt=0.04,
    rtt_variance=0.01,
    least_rtt=0.03,
    receive_rtt=0.08,
    retransmissions=2,
    segments_sent=100,
    bytes_sent=150_000,
    bytes_resent=3_000,
    bytes_acknowledged=140_000,
    bytes_received=1_000_000,
    delivery_rate=500_000,
)

TIMES = st.none() | st.floats(0, 60)
SHARES = st.none() | st.floats(0, 1)


@given(TIMES, TIMES, SHARES)
def test_a_score_is_from_0_to_1_and_there_if_anything_is_known(
    latency: float | None, jitter: float | None, loss: float | None
) -> None:
    found = score(latency=latency, jitter=jitter, loss=loss)
    if (latency, jitter, loss) == (None, None, None):
        assert found is None
    else:
        assert found is not None
        assert 0 <= found <= 1


@given(st.floats(0, 60), st.floats(0, 60), TIMES, SHARES)
def test_more_latency_is_never_better(
    one: float, other: float, jitter: float | None, loss: float | None
) -> None:
    better = score(latency=min(one, other), jitter=jitter, loss=loss)
    worse = score(latency=max(one, other), jitter=jitter, loss=loss)
    assert better is not None
    assert worse is not None
    assert worse <= better + 1e-12


@given(TIMES, TIMES, st.floats(0, 1), st.floats(0, 1))
def test_more_loss_is_never_better(
    latency: float | None, jitter: float | None, one: float, other: float
) -> None:
    better = score(latency=latency, jitter=jitter, loss=min(one, other))
    worse = score(latency=latency, jitter=jitter, loss=max(one, other))
    assert better is not None
    assert worse is not None
    assert worse <= better + 1e-12


def test_a_link_that_loses_everything_is_of_no_use() -> None:
    assert 0 == score(latency=0.001, jitter=0, loss=1)


def test_a_perfect_link_scores_1() -> None:
    assert pytest.approx(1) == score(latency=0, jitter=0, loss=0)


def test_an_upload_is_judged_as_a_receiver_sees_it() -> None:
    before = replace(INFO, bytes_received=400_000)
    assert Quality(latency=0.08, rate=300_000) == of_upload(before, INFO, 2)


def test_a_download_is_judged_by_what_was_sent_meanwhile() -> None:
    before = replace(INFO, bytes_sent=50_000, bytes_resent=1_000)
    assert Quality(latency=0.04, jitter=0.01, loss=0.02, rate=500_000) == of_download(before, INFO)


def test_an_older_kernel_counts_segments() -> None:
    info = replace(INFO, bytes_sent=None, bytes_resent=None)
    assert 0.02 == of_download(None, info).loss


def test_what_the_kernel_does_not_know_is_unknown() -> None:
    bare = replace(INFO, bytes_sent=None, segments_sent=None, bytes_received=None)
    assert (None, None) == (of_download(None, bare).loss, of_upload(None, bare, 1).rate)


@pytest.mark.parametrize(
    ("packets", "errors", "drops", "loss"),
    [
        (900, 60, 40, 0.1),
        (1000, 0, 0, 0),
        (99, 99, 0, None),
        (1000, -1, 0, None),
        (-5000, 0, 0, None),
    ],
)
def test_counters_tell_the_share_that_was_lost(
    packets: int, errors: int, drops: int, loss: float | None
) -> None:
    before = replace(COUNTERS, packets_sent=10_000, packets_received=10_000, errors=5, drops=7)
    now = replace(
        before,
        packets_sent=before.packets_sent + packets,
        errors=before.errors + errors,
        drops=before.drops + drops,
    )
    assert loss == loss_of(before, now)


def test_a_meter_that_measured_nothing_knows_nothing() -> None:
    assert (Quality(), None) == (Meter().quality, Meter().quality.score)


def test_round_trips_are_smoothed_as_tcp_does_it() -> None:
    meter = Meter()
    meter.probed(0.1)
    meter.probed(0.18)
    assert pytest.approx(0.11) == meter.quality.latency
    assert pytest.approx(0.0575) == meter.quality.jitter


def test_few_probes_tell_no_loss() -> None:
    meter = Meter()
    for _ in range(4):
        meter.probed(None)
    assert meter.quality.loss is None
    meter.probed(0.1)
    assert 0.8 == meter.quality.loss


def test_only_the_latest_probes_tell_the_loss() -> None:
    meter = Meter()
    for _ in range(20):
        meter.probed(None)
    for _ in range(19):
        meter.probed(0.1)
    assert 0.05 == meter.quality.loss


def test_the_rate_is_what_went_through_since_the_last_look() -> None:
    meter = Meter()
    meter.counted(COUNTERS, 10)
    meter.counted(replace(COUNTERS, bytes_sent=500, bytes_received=1500), 12)
    assert 1000 == meter.quality.rate


def test_the_worse_loss_counts() -> None:
    meter = Meter()
    for _ in range(10):
        meter.probed(0.1)
    meter.counted(COUNTERS, 10)
    meter.counted(replace(COUNTERS, packets_sent=900, drops=100), 11)
    assert 0.1 == meter.quality.loss
