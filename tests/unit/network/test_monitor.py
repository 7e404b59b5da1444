"""The monitor where the system says nothing: it polls, and tells who asked."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import pytest

from tests.unit.network.machine import Machine, monitored
from tests.unit.network.samples import interface, snapshot
from tusd_py.network import LinkChanges, Monitor, Settled, carrier
from tusd_py.network.interfaces import InterfaceReader
from tusd_py.network.kinds import InterfaceKind
from tusd_py.network.subscription import Event, Subscription

ETH0 = interface("eth0", "192.0.2.2/24")
WLAN0 = interface("wlan0", "198.51.100.7/24")
TUN0 = interface("tun0", "10.9.0.1/24", kind=InterfaceKind.VPN)
VETH0 = interface("veth0", "172.17.0.1/16", kind=InterfaceKind.VIRTUAL)
BOTH = snapshot(ETH0, WLAN0)
ETH0_DOWN = snapshot(replace(ETH0, up=False), WLAN0)


async def following(events: Subscription) -> Event:
    async with asyncio.timeout(5):
        return await anext(events)


async def until(events: Subscription, told: str) -> None:
    while told != str(await following(events)):
        pass


async def said(links: LinkChanges) -> str:
    async with asyncio.timeout(5):
        return await links.changed()


async def test_this_machine_is_watched_at_once_where_it_can_be() -> None:
    async with Monitor() as monitor:
        assert (sys.platform == "linux") == monitor.at_once
        assert carrier(monitor.interfaces, "127.0.0.1") is not None


async def test_the_first_look_is_no_change() -> None:
    async with monitored(Machine(BOTH)) as monitor:
        assert (BOTH, False) == (monitor.interfaces, monitor.at_once)
        events = monitor.subscribe()
    assert [] == [event async for event in events]


async def test_a_change_is_told_at_once_and_then_settles() -> None:
    machine = Machine(BOTH)
    async with monitored(machine) as monitor:
        events = monitor.subscribe()
        machine.interfaces = ETH0_DOWN
        first = await following(events)
        assert ("eth0 went down", frozenset({"eth0"})) == (str(first), monitor.restless)
        second = await following(events)
        assert isinstance(second, Settled)
        assert (1, frozenset()) == (second.seen, monitor.restless)


async def test_who_asks_for_an_address_hears_of_no_other() -> None:
    machine = Machine(BOTH)
    async with monitored(machine) as monitor:
        everything = monitor.subscribe()
        with monitor.subscribe(address="::ffff:198.51.100.7") as events:
            machine.interfaces = ETH0_DOWN
            await until(everything, "eth0 went down")
            machine.interfaces = snapshot(ETH0)
            assert "wlan0 was removed" == str(await following(events))
            settled = await following(events)
        assert ("wlan0", None) == (settled.interface, settled.after)


async def test_who_asks_for_an_interface_hears_of_no_other() -> None:
    machine = Machine(BOTH)
    async with monitored(machine) as monitor:
        events = monitor.subscribe(interface="wlan0")
        machine.interfaces = {}
        assert "wlan0 was removed" == str(await following(events))


async def test_what_is_no_address_cannot_be_asked_for() -> None:
    async with monitored(Machine(BOTH)) as monitor:
        with pytest.raises(ValueError, match="nothing"):
            monitor.subscribe(address="nothing")


async def test_a_look_that_fails_changes_nothing_and_is_not_the_last() -> None:
    machine = Machine(BOTH)
    async with monitored(machine) as monitor:
        events = monitor.subscribe()
        machine.interfaces, machine.failures = ETH0_DOWN, 2
        assert "eth0 went down" == str(await following(events))
        assert 0 == machine.failures


async def test_a_machine_that_does_not_say_its_interfaces_cannot_be_watched() -> None:
    machine = Machine(BOTH)
    machine.failures = 1
    with pytest.raises(OSError, match="does not say"):
        await Monitor(read=machine).start()


async def test_a_subscriber_who_does_not_read_keeps_the_latest() -> None:
    kept = Subscription(lambda _: True, lambda _: None)
    for _ in range(1500):
        kept.put(Settled("eth0", ETH0, None, 1))
    kept.put(Settled("wlan0", WLAN0, None, 1))
    kept.end()
    events = [event async for event in kept]
    assert (1000, "wlan0") == (len(events), events[-1].interface)


async def test_a_connection_hears_that_its_own_way_is_lost() -> None:
    machine = Machine(BOTH)
    async with monitored(machine) as monitor:
        everything = monitor.subscribe()
        links = LinkChanges(monitor, lambda: "192.0.2.2")
        machine.interfaces = snapshot(ETH0, replace(WLAN0, up=False), TUN0)
        await until(everything, "tun0 was added")
        machine.interfaces = snapshot(ETH0, WLAN0)
        await until(everything, "tun0 was removed")
        machine.interfaces = ETH0_DOWN
        assert "eth0 went down" == await said(links)
        links.close()


async def test_without_a_connection_a_new_way_is_told() -> None:
    machine = Machine(snapshot(replace(ETH0, up=False)))
    async with monitored(machine) as monitor:
        everything = monitor.subscribe()
        links = LinkChanges(monitor, lambda: None)
        machine.interfaces = snapshot(replace(ETH0, up=False), VETH0)
        await until(everything, "veth0 was added")
        machine.interfaces = snapshot(ETH0)
        assert "eth0 went up" == await said(links)


async def test_who_cannot_say_its_address_hears_of_losses_and_gains() -> None:
    machine = Machine(BOTH)
    async with monitored(machine) as monitor:
        links = LinkChanges(monitor)
        machine.interfaces = ETH0_DOWN
        assert "eth0 went down" == await said(links)
        machine.interfaces = BOTH
        assert "eth0 went up" == await said(links)


async def test_who_waits_for_a_monitor_that_stops_is_told() -> None:
    async with monitored(Machine(BOTH)) as monitor:
        links = LinkChanges(monitor)
    with pytest.raises(OSError, match="not watched"):
        await links.changed()


async def test_what_happens_while_nobody_waits_is_not_missed() -> None:
    machine = Machine(BOTH)
    async with monitored(machine) as monitor:
        everything = monitor.subscribe()
        links = LinkChanges(monitor)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(links.changed(), 0.02)
        machine.interfaces = ETH0_DOWN
        await until(everything, "eth0 went down")
        assert "eth0 went down" == await said(links)


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux tells so quickly.")
async def test_quick_looks_are_taken_only_while_somebody_needs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def differs(*_: object) -> bool:
        loop.call_soon_threadsafe(looked.set)
        return False

    monkeypatch.setattr(InterfaceReader, "differs", differs)
    async with Monitor(poll=60) as monitor:
        monitor.attentive = False
        # One may be under way.
        await asyncio.sleep(0.3)
        looked.clear()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(looked.wait(), 0.5)
        monitor.attentive = True
        await asyncio.wait_for(looked.wait(), 5)
        looked.clear()
        await asyncio.wait_for(looked.wait(), 5)
