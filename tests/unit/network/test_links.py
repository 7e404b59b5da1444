"""Links that are watched, measured and chosen together."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.unit.network.machine import Machine, monitored
from tests.unit.network.samples import interface, snapshot
from tusd_py.network.interfaces import Counters
from tusd_py.network.links import Links, News
from tusd_py.network.quality import UNKNOWN
from tusd_py.network.selection import Rules

ETH0 = interface("eth0", "192.0.2.2/24")
WLAN0 = interface("wlan0", "198.51.100.7/24", "2001:db8::7/64", index=2)
COUNTERS = Counters(
    bytes_sent=0, bytes_received=0, packets_sent=0, packets_received=0, errors=0, drops=0
)
BOTH = snapshot(ETH0, WLAN0)


async def test_a_lost_link_is_told_and_left_in_one_turn() -> None:
    machine = Machine(BOTH)
    told: list[str] = []
    enough = asyncio.Event()

    def tell(news: News) -> None:
        told.append(getattr(news, "detail", None) or str(news))
        if len(told) == 2:
            enough.set()

    async with monitored(machine, settle=60) as monitor:
        links = Links(monitor, Rules(), every=60)
        links.choose()
        running = asyncio.create_task(links.run(tell))
        # It has subscribed after its first turn.
        await asyncio.sleep(0)
        machine.interfaces = snapshot(replace(ETH0, up=False), WLAN0)
        async with asyncio.timeout(5):
            await enough.wait()
        assert ["eth0 went down", "eth0 has no link or no address any more"] == told
        assert links.active == WLAN0
        assert ["198.51.100.7", "2001:db8::7"] == [str(links.source(v)) for v in (4, 6)]
    async with asyncio.timeout(5):
        await running


async def test_what_the_listener_raises_ends_it() -> None:
    def tell(_: News) -> None:
        raise BrokenPipeError

    async with monitored(Machine(BOTH)) as monitor:
        links = Links(monitor, Rules())
        with pytest.raises(BrokenPipeError):
            async with asyncio.timeout(5):
                await links.run(tell)


async def test_without_a_link_there_is_no_source() -> None:
    async with monitored(Machine({})) as monitor:
        links = Links(monitor, Rules())
        await links.measure()
    assert (None, None, ()) == (links.active, links.source(4), links.history)


async def test_a_choice_by_hand_holds_at_once() -> None:
    async with monitored(Machine(BOTH)) as monitor:
        links = Links(monitor, Rules())
        links.choose()
        links.override("wlan0")
    assert ["first", "manual"] == [switch.reason for switch in links.history]


async def test_another_interface_of_the_same_name_starts_anew() -> None:
    machine = Machine(snapshot(replace(ETH0, counters=COUNTERS)))
    moments = iter(range(100))
    async with monitored(machine) as monitor:
        links = Links(monitor, Rules(), clock=lambda: next(moments))
        await links.measure()
        machine.interfaces = snapshot(replace(ETH0, counters=replace(COUNTERS)))
        while monitor.interfaces is not machine.interfaces:  # noqa: ASYNC110 - it looks by itself
            await asyncio.sleep(0.001)
        await links.measure()
        assert 0 == links.qualities["eth0"].rate
        with monitor.subscribe(interface="eth0") as events:
            machine.interfaces = snapshot(replace(ETH0, index=9))
            async with asyncio.timeout(5):
                await anext(events)
        assert UNKNOWN == links.qualities["eth0"]
