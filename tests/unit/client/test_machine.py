"""What an uploader knows of the links of its machine."""

from __future__ import annotations

import pytest

from tests.unit.network.machine import Machine
from tests.unit.network.samples import interface, snapshot
from tusd_py.client.links import Links
from tusd_py.client.machine import WatchedMachine
from tusd_py.network import InterfaceKind, Monitor
from tusd_py.quantities import KB, MB

ETH0 = interface("eth0", "192.0.2.2/24")
WLAN0 = interface("wlan0", "198.51.100.7/24", index=2, kind=InterfaceKind.WIFI)
WWAN0 = interface("wwan0", "203.0.113.8/24", index=3, kind=InterfaceKind.CELLULAR)


def watched(machine: Machine) -> WatchedMachine:
    return WatchedMachine(Monitor(poll=0.01, read=machine, doorbell=None))


async def test_the_kind_of_a_link_says_how_much_it_can_bear_to_lose() -> None:
    async with watched(Machine(snapshot(ETH0, WLAN0, WWAN0))) as machine:
        sizes = [
            machine.chunk_size(local)
            for local in ("192.0.2.2", "198.51.100.7", "::ffff:203.0.113.8", "192.0.2.99")
        ]
    assert [None, 5 * MB, 512 * KB, None] == sizes


async def test_news_say_whom_they_concern() -> None:
    seen = Machine(snapshot(ETH0, WLAN0))
    async with watched(seen) as machine:
        seen.interfaces = snapshot(ETH0)
        news = await machine.news()
    assert "wlan0 was removed" == str(news)
    assert [True, False] == [news.concerns(local) for local in ("198.51.100.7", "192.0.2.2")]
    assert (True, False) == (news.lost, news.gained)


async def test_links_know_as_much_as_the_machine_does() -> None:
    async with watched(Machine(snapshot(WWAN0))) as machine, Links(machine) as links:
        assert {"wwan0": WWAN0} == links.interfaces
        assert [512 * KB, None] == [links.chunk_size(each) for each in ("203.0.113.8", None)]


async def test_a_machine_that_does_not_tell_cannot_be_watched() -> None:
    seen = Machine({})
    seen.failures = 1
    with pytest.raises(OSError, match="does not say"):
        async with watched(seen):
            """It is not entered."""
