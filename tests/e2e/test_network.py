"""Real links that go and come: what is seen of them, and how soon."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from tests.e2e.watching import Watch
from tests.support.namespaces import Host, host

pytestmark = pytest.mark.quiet

# What is promised for Linux.
AT_ONCE = 0.25
SETTLE = 1.0
SETTLING = ("--network-reconnectdelay", f"{SETTLE:g}s")
ETH1, WLAN1 = "192.0.2.1/24", "198.51.100.1/24"


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    """A host with two links, and the one at their other ends."""
    with ExitStack() as stack:
        here, there = stack.enter_context(host()), stack.enter_context(host())
        here.link("eth1", ETH1, "2001:db8::1/64", to=there, peer="far1")
        here.link("wlan1", WLAN1, to=there, peer="far2")
        there.ip("address", "add", "192.0.2.9/24", "dev", "far1")
        there.ip("address", "add", "198.51.100.9/24", "dev", "far2")
        yield here, there


def seen_after(watch: Watch, change: Callable[[], None], event: str, **facts: object) -> float:
    """Seconds from before a change was made until it was told."""
    began = time.monotonic()
    change()
    at, _ = watch.until(event, **facts)
    return at - began


def others_than(name: str, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in told if line.get("interface") != name]


def test_the_first_line_says_how_things_are(hosts: tuple[Host, Host]) -> None:
    with Watch(hosts[0]) as watch:
        found = {each["name"]: each for each in watch.first["interfaces"]}
    assert {"lo": "loopback", "eth1": "ethernet", "wlan1": "wifi"} == {
        name: each["kind"] for name, each in found.items()
    }
    assert [True, True, False] == [found[name]["usable"] for name in ("eth1", "wlan1", "lo")]
    assert [ETH1, "2001:db8::1/64"] == found["eth1"]["addresses"][:2]
    assert ("eth1", "first") == (watch.first["active"], watch.first["history"][0]["reason"])


def test_a_link_that_goes_down_and_up_is_seen_at_once(hosts: tuple[Host, Host]) -> None:
    here, _ = hosts
    with Watch(here, *SETTLING) as watch:
        times = []
        for state in ("down", "up") * 5:
            change = partial(here.ip, "link", "set", "eth1", state)
            times.append(seen_after(watch, change, state, interface="eth1"))
            watch.rest(0.3)
    sys.stdout.write(f"seen after {max(times) * 1000:.0f} ms at most\n")
    assert max(times) < AT_ONCE, times


def test_a_cable_that_is_pulled_at_the_other_end_is_seen_at_once(hosts: tuple[Host, Host]) -> None:
    here, there = hosts
    with Watch(here, *SETTLING) as watch:
        pull = partial(there.ip, "link", "set", "far2", "down")
        assert seen_after(watch, pull, "down", interface="wlan1") < AT_ONCE
        told = watch.rest(SETTLE + 0.5)
    assert [("settled", "wlan1")] == [(line["event"], line["interface"]) for line in told[-1:]]
    assert [] == others_than("wlan1", told)


def test_an_address_that_is_removed_and_another_that_comes(hosts: tuple[Host, Host]) -> None:
    here, _ = hosts
    with Watch(here, *SETTLING) as watch:
        remove = partial(here.ip, "address", "delete", WLAN1, "dev", "wlan1")
        add = partial(here.ip, "address", "add", "198.51.100.77/24", "dev", "wlan1")
        lost = seen_after(watch, remove, "addresses", interface="wlan1", lost=[WLAN1], gained=[])
        gained = seen_after(
            watch, add, "addresses", interface="wlan1", lost=[], gained=["198.51.100.77/24"]
        )
        _, told = watch.until("settled", interface="wlan1")
    assert max(lost, gained) < AT_ONCE
    assert (2, ["addresses"]) == (told[-1]["seen"], told[-1]["changes"])


@pytest.mark.timeout(60)
def test_a_link_that_flaps_twenty_times_settles_once(hosts: tuple[Host, Host]) -> None:
    here, _ = hosts
    with Watch(here, *SETTLING) as watch:
        for _ in range(20):
            here.ip("link", "set", "wlan1", "down")
            time.sleep(0.25)
            here.ip("link", "set", "wlan1", "up")
            time.sleep(0.25)
        told = watch.rest(SETTLE + 1)
    counts = {event: [line["event"] for line in told].count(event) for event in ("down", "up")}
    assert {"down": 20, "up": 20} == counts
    (settled,) = (line for line in told if line["event"] == "settled")
    assert ("wlan1", settled["seen"]) == (settled["interface"], len(told) - 1)
    assert [] == others_than("wlan1", told)


def test_a_tunnel_that_comes_and_goes_has_no_effect_on_others(hosts: tuple[Host, Host]) -> None:
    here, _ = hosts
    with Watch(here, *SETTLING) as watch:
        assert seen_after(watch, lambda: here.tunnel("tun7"), "added", interface="tun7") < AT_ONCE
        here.ip("address", "add", "10.77.0.1/24", "dev", "tun7")
        here.ip("link", "set", "tun7", "up")
        remove = partial(here.ip, "link", "delete", "tun7")
        told = watch.rest(0.3)
        assert seen_after(watch, remove, "removed", interface="tun7") < AT_ONCE
        told += watch.rest(SETTLE + 0.5)
    assert [] == others_than("tun7", told)


def test_the_active_link_is_left_when_it_is_lost_and_taken_again_later(
    hosts: tuple[Host, Host],
) -> None:
    here, there = hosts
    quick = ("--network-switch-dwell", "1s", "--network-switch-return", "2s")
    with Watch(here, *SETTLING, *quick) as watch:
        pull = partial(there.ip, "link", "set", "far1", "down")
        left = seen_after(watch, pull, "switch", before="eth1", after="wlan1", reason="lost")
        there.ip("link", "set", "far1", "up")
        back = time.monotonic()
        at, _ = watch.until("switch", before="wlan1", after="eth1", reason="return")
    assert left < AT_ONCE
    assert at - back >= 2


def test_interruption_ends_watching_quietly(hosts: tuple[Host, Host]) -> None:
    with Watch(hosts[0]) as watch:
        pass
    assert (0, "") == (watch.exit_code, watch.complaints)


def test_links_are_measured_by_connecting_over_each(hosts: tuple[Host, Host]) -> None:
    here, there = hosts
    # Both ways lead to one target, which refuses: an answer too. One of them ends there.
    there.ip("address", "add", "203.0.113.5/32", "dev", "lo")
    here.ip("route", "add", "203.0.113.5/32", "via", "192.0.2.9", "dev", "eth1")
    here.ip("route", "add", "203.0.113.5/32", "dev", "wlan1", "metric", "9")
    there.ip("route", "add", "blackhole", "198.51.100.1/32")
    with Watch(here, "--network-probe-target", "203.0.113.5:9") as watch:
        found = {each["name"]: each["quality"] for each in watch.first["interfaces"]}
    assert ("eth1", 0.0, 0.0) == (
        watch.first["active"],
        found["eth1"]["loss"],
        found["wlan1"]["score"],
    )
    assert 0 < found["eth1"]["latency"] < 1
    assert (None, 1.0) == (found["wlan1"]["latency"], found["wlan1"]["loss"])


def test_who_reads_no_more_ends_watching_quietly(hosts: tuple[Host, Host]) -> None:
    here, _ = hosts
    command = here.command(sys.executable, "-m", "tusd_py", "network", "--watch")
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        shown = iter(process.stdout.readline, "In use: eth1\n")
        assert any("192.0.2.1/24" in line for line in shown)
        process.stdout.close()
        here.ip("link", "set", "eth1", "down")
        assert (0, "") == (process.wait(10), process.stderr.read())
