"""What is known of a client follows from what it does."""

from __future__ import annotations

import math

import pytest

from tusd_py.network.clients import (
    ClientProfile,
    Observation,
    SeenInterface,
    client_key,
)
from tusd_py.network.quality import Quality
from tusd_py.network.trend import Trend

NEW = ClientProfile("subject:alice", 100.0, 100.0)
LINK = Quality(latency=0.04, jitter=0.01, loss=0.02, rate=5e6)


def after(*outcomes: bool) -> float | None:
    """The reliability after so many transfers that ended well, or not."""
    profile = NEW
    for whole in outcomes:
        profile = profile.after(Observation(at=101.0, whole=whole))
    return profile.reliability


def test_an_upload_tells_how_fast_the_client_sends() -> None:
    profile = NEW.after(
        Observation(at=105.0, quality=LINK, whole=True, interface=("eth0", "ethernet"))
    )

    assert (Trend(5e6), Trend(0.04), 1.0) == (profile.rate, profile.latency, profile.reliability)
    assert (100.0, 105.0, 1, 0) == (
        profile.first_seen,
        profile.last_seen,
        profile.transfers,
        profile.downloads,
    )
    assert profile.download_rate is None
    assert (SeenInterface("eth0", "ethernet", 1),) == profile.interfaces
    assert LINK == profile.quality


def test_a_download_tells_nothing_of_how_fast_or_reliably_the_client_sends() -> None:
    profile = NEW.after(Observation(at=105.0, quality=LINK, download=True))

    assert (None, None, 5e6) == (profile.rate, profile.reliability, profile.download_rate)
    assert (0, 1, Trend(0.04)) == (profile.transfers, profile.downloads, profile.latency)


def test_one_mishap_makes_no_client_unreliable_and_two_do() -> None:
    assert 0.8 == after(False)
    assert pytest.approx(0.64) == after(False, False)
    assert pytest.approx(0.81568) == after(False, False, True, True, True)


def test_recent_transfers_count_more() -> None:
    long_ago, lately = after(False, *[True] * 9), after(*[True] * 9, False)
    assert long_ago is not None
    assert lately is not None
    assert lately < 0.9 < long_ago


@pytest.mark.parametrize("absurd", [math.nan, math.inf, -1.0, 1e300])
def test_absurd_figures_do_not_count(absurd: float) -> None:
    known = NEW.after(Observation(at=105.0, quality=LINK, whole=True))
    quality = Quality(latency=absurd, jitter=absurd, loss=absurd, rate=absurd)

    assert known == known.after(Observation(at=105.0, quality=quality))
    assert known._replace(downloads=1) == known.after(
        Observation(at=105.0, quality=quality, download=True)
    )


def test_interfaces_are_counted_the_most_used_first_and_not_without_end() -> None:
    profile = NEW
    for name in ("a", "b", "b", *(f"tun{number}" for number in range(20))):
        profile = profile.after(Observation(at=1.0, whole=True, interface=(name, "vpn")))

    assert SeenInterface("b", "vpn", 2) == profile.interfaces[0]
    assert 8 == len(profile.interfaces)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "address:192.0.2.1"),
        ("::ffff:192.0.2.1", "address:192.0.2.1"),
        ("2001:DB8:0::1", "address:2001:db8::1"),
        ("fe80::1%eth0", "address:fe80::1%eth0"),
        ("testclient", None),
        ("", None),
        (None, None),
    ],
)
def test_a_client_without_a_subject_is_its_address(address: str | None, key: str | None) -> None:
    assert key == client_key(None, address)


def test_a_subject_is_never_taken_for_an_address() -> None:
    assert "subject:192.0.2.1" == client_key("192.0.2.1", "198.51.100.7")
    assert client_key("\ud800", "198.51.100.7") is None
