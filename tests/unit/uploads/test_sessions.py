"""Which transfers are paused by what the monitor sees, and go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from tests.unit.network.machine import Machine, monitored
from tests.unit.network.samples import interface, snapshot
from tusd_py.config import Network
from tusd_py.metrics import Meters
from tusd_py.network import InterfaceKind, Monitor
from tusd_py.streaming import Interrupt, Stop
from tusd_py.uploads.sessions import Session, Sessions

ETH1 = interface("eth1", "192.0.2.1/24")
ETH2 = interface("eth2", "198.51.100.1/24", index=2)
BOTH = snapshot(ETH1, ETH2)
GONE = snapshot(replace(ETH1, addresses=()), ETH2)


@asynccontextmanager
async def followed(
    machine: Machine, settings: Network | None = None
) -> AsyncIterator[tuple[Monitor, Sessions]]:
    async with monitored(machine) as monitor:
        sessions = Sessions(monitor, settings or Network(), Meters())
        following = asyncio.create_task(sessions.run())
        yield monitor, sessions
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - pauses have no event of their own
            await asyncio.sleep(0.001)


def joined(sessions: Sessions, address: str) -> Session:
    session = sessions.join(address, Interrupt())
    assert session is not None
    return session


async def test_all_of_an_address_pause_and_go_on_together() -> None:
    machine = Machine(BOTH)
    async with followed(machine) as (_, sessions):
        on_a = [joined(sessions, "192.0.2.1") for _ in range(1000)]
        mapped = joined(sessions, "::ffff:192.0.2.1")
        on_b = joined(sessions, "198.51.100.1")
        machine.interfaces = GONE
        await until(lambda: on_a[0].interrupt.reason)
        reasons = {each.interrupt.reason for each in (*on_a, mapped)}
        machine.interfaces = BOTH
        await until(lambda: on_a[0].interrupt.reason is None)
        assert {Stop.PAUSED} == reasons
        assert {None} == {each.interrupt.reason for each in (*on_a, mapped, on_b)}
        assert ("eth1", "eth1 lost 192.0.2.1/24") == (on_a[0].interface, on_a[0].change)
        assert "" == on_b.change


async def test_who_was_asked_to_leave_is_not_paused() -> None:
    machine = Machine(BOTH)
    async with followed(machine) as (_, sessions):
        leaving, staying = joined(sessions, "192.0.2.1"), joined(sessions, "192.0.2.1")
        leaving.interrupt.revoke()
        machine.interfaces = GONE
        await until(lambda: staying.interrupt.reason)
        assert (Stop.REVOKED, "") == (leaving.interrupt.reason, leaving.change)


async def test_who_has_left_is_not_paused() -> None:
    machine = Machine(BOTH)
    async with followed(machine) as (_, sessions):
        gone, other = joined(sessions, "192.0.2.1"), joined(sessions, "192.0.2.1")
        sessions.leave(gone)
        machine.interfaces = GONE
        await until(lambda: other.interrupt.reason)
        sessions.leave(other)
        assert gone.interrupt.reason is None


async def test_bytes_let_one_go_on_once_the_interface_is_at_rest() -> None:
    machine = Machine(BOTH)
    async with followed(machine) as (monitor, sessions):
        alive, silent = joined(sessions, "192.0.2.1"), joined(sessions, "192.0.2.1")
        machine.interfaces = GONE
        await until(lambda: alive.interrupt.reason)
        sessions.arrived(alive)
        restless = alive.interrupt.reason
        await until(lambda: alive.interrupt.reason is None)
        assert (Stop.PAUSED, frozenset()) == (restless, monitor.restless)
        assert Stop.PAUSED is silent.interrupt.reason
        sessions.arrived(silent)
        assert silent.interrupt.reason is None


@pytest.mark.parametrize("local", [None, "localhost", "", "tusd.sock"])
async def test_who_has_no_address_is_not_counted(local: str | None) -> None:
    async with followed(Machine(BOTH)) as (monitor, sessions):
        interrupt = Interrupt()
        assert (None, False) == (sessions.join(local, interrupt), interrupt.may_pause)
        assert not monitor.attentive


@pytest.mark.parametrize(("everything", "counted"), [(False, False), (True, True)])
async def test_the_loopback_has_no_link_that_could_be_lost(everything: bool, counted: bool) -> None:
    lo = interface("lo", "127.0.0.1/8", kind=InterfaceKind.LOOPBACK)
    settings = Network(uploadpauseonchange=everything)
    async with followed(Machine(snapshot(lo, ETH1)), settings) as (_, sessions):
        assert counted is (sessions.join("127.0.0.1", Interrupt()) is not None)
        assert sessions.join("192.0.2.1", Interrupt()) is not None


async def test_links_are_looked_at_often_only_while_there_are_transfers() -> None:
    async with followed(Machine(BOTH)) as (monitor, sessions):
        seen = [monitor.attentive]
        one, other = joined(sessions, "192.0.2.1"), joined(sessions, "198.51.100.1")
        seen.append(monitor.attentive)
        sessions.leave(one)
        seen.append(monitor.attentive)
        sessions.leave(other)
        seen.append(monitor.attentive)
    assert [False, True, True, False] == seen


async def test_bytes_prove_nothing_about_a_link_that_is_lost_after_them() -> None:
    machine = Machine(BOTH)
    async with followed(machine) as (monitor, sessions):
        session = joined(sessions, "192.0.2.1")
        machine.interfaces = GONE
        await until(lambda: session.interrupt.reason)
        machine.interfaces = BOTH
        await until(lambda: monitor.at("192.0.2.1"))
        sessions.arrived(session)
        machine.interfaces = GONE
        await until(lambda: not session.alive)
        await until(lambda: not monitor.restless)
        assert Stop.PAUSED is session.interrupt.reason


async def test_the_zone_tells_addresses_apart_that_two_links_have() -> None:
    one, two = interface("eth1", "fe80::1/64"), interface("eth2", "fe80::1/64", index=2)
    machine = Machine(snapshot(one, two))
    async with followed(machine) as (monitor, sessions):
        staying, lost = joined(sessions, "fe80::1%eth1"), joined(sessions, "fe80::1%2")
        machine.interfaces = snapshot(one, replace(two, up=False))
        await until(lambda: lost.interrupt.reason)
        await until(lambda: not monitor.restless)
        assert (None, Stop.PAUSED) == (staying.interrupt.reason, lost.interrupt.reason)
