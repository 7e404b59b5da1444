"""Which connections a change disturbs, and when they go on."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.network.samples import interface, snapshot
from tusd_py.network.changes import diff
from tusd_py.network.interfaces import Interface, Snapshot
from tusd_py.network.settling import Settling
from tusd_py.network.standing import Standing, may_have_died

A, B = ip_address("192.0.2.1"), ip_address("198.51.100.1")
ETH1 = interface("eth1", "192.0.2.1/24", "192.0.2.3/24")
ETH2 = interface("eth2", "198.51.100.1/24", index=2)
BOTH = snapshot(ETH1, ETH2)
REST = 2.0


class World:
    """Interfaces over a time that a test tells, and what is decided about connections."""

    def __init__(self, *, everything: bool = False) -> None:
        self.interfaces: Snapshot = BOTH
        self.standing = Standing(everything=everything)
        self._settling = Settling(REST)
        self._now = 0.0

    def becomes(self, *present: Interface) -> set[object]:
        """Change the interfaces; gives whose connections are to pause."""
        before, self.interfaces = self.interfaces, snapshot(*present)
        hit = set[object]()
        for change in diff(before, self.interfaces):
            self._settling.note(change, self._now)
            hit |= {*self.standing.changed(change, (A, B))}
        return hit

    def after(self, seconds: float) -> set[object]:
        """Let time pass; gives whose connections go on."""
        self._now += seconds
        back = set[object]()
        for event in self._settling.due(self._now):
            back |= {*self.standing.settled(event, self.interfaces.values())}
        return back


NOTHING: set[object] = set()


@pytest.mark.parametrize(
    "lost",
    [
        (replace(ETH1, addresses=ETH1.addresses[1:]), ETH2),
        (replace(ETH1, up=False), ETH2),
        (replace(ETH1, index=9, addresses=()), ETH2),
        (ETH2,),
    ],
    ids=["address", "link", "another of its name", "interface"],
)
def test_who_may_have_lost_its_way_pauses_and_goes_on_when_it_is_back_and_at_rest(
    lost: tuple[Interface, ...],
) -> None:
    world = World()
    assert {A} == world.becomes(*lost)
    assert (NOTHING, True) == (world.after(REST), world.standing.at_rest(A))
    assert NOTHING == world.becomes(ETH1, ETH2)
    assert (NOTHING, False) == (world.after(REST / 2), world.standing.at_rest(A))
    assert {A} == world.after(REST / 2)


@pytest.mark.parametrize(
    "other",
    [
        (replace(ETH1, addresses=ETH1.addresses[:1]), ETH2),
        (ETH1, ETH2, interface("tun0", "10.0.0.1/24", index=3)),
        (replace(ETH1, mtu=900), ETH2),
    ],
    ids=["another address", "a tunnel", "no change"],
)
def test_what_no_connection_can_feel_disturbs_nobody(other: tuple[Interface, ...]) -> None:
    assert NOTHING == World().becomes(*other)


def test_an_address_that_merely_comes_disturbs_nobody() -> None:
    world = World()
    world.interfaces = snapshot(replace(ETH1, addresses=()), ETH2)
    assert NOTHING == world.becomes(ETH1, ETH2)


def test_an_interface_that_flaps_is_waited_for() -> None:
    world, back = World(), NOTHING
    for _ in range(20):
        world.becomes(replace(ETH1, up=False), ETH2)
        back |= world.after(REST / 8)
        world.becomes(ETH1, ETH2)
        back |= world.after(REST / 8)
    assert NOTHING == back
    assert {A} == world.after(REST)


def test_an_address_may_come_back_on_another_interface() -> None:
    world = World()
    world.becomes(ETH2)
    world.after(REST)
    world.becomes(replace(ETH2, addresses=(*ETH2.addresses, ETH1.addresses[0])))
    assert {A} == world.after(REST)


def test_any_change_disturbs_all_where_that_is_wanted_until_it_has_settled() -> None:
    world = World(everything=True)
    assert {A, B} == world.becomes(ETH1, ETH2, interface("tun0", index=3))
    assert (False, False) == (world.standing.at_rest(A), world.standing.at_rest(B))
    assert {A, B} == world.after(REST)


def test_where_any_change_counts_too_a_lost_address_is_waited_for() -> None:
    world = World(everything=True)
    assert {A, B} == world.becomes(ETH2)
    assert {B} == world.after(REST)


def test_an_address_that_no_interface_has_ever_had_goes_on_as_well() -> None:
    # A container's, perhaps, or that of a server that tells another.
    strange = ip_address("203.0.113.1")
    (change,) = diff(BOTH, snapshot(ETH1, replace(ETH2, up=False)))
    standing, settling = Standing(everything=True), Settling(0)
    standing.changed(change, [strange])
    settling.note(change, 0)
    (settled,) = settling.due(0)
    assert [strange] == standing.settled(settled, BOTH.values())


def test_an_address_without_connections_is_forgotten() -> None:
    world = World()
    world.becomes(ETH2)
    world.standing.forget(A)
    world.becomes(ETH1, ETH2)
    assert (NOTHING, True) == (world.after(REST), world.standing.at_rest(A))


_STATES = st.sampled_from(
    [ETH1, replace(ETH1, up=False), replace(ETH1, addresses=()), replace(ETH1, index=9), None]
)


@given(
    st.lists(st.tuples(_STATES, st.sampled_from([0.0, REST / 2, REST, 3 * REST]))), st.booleans()
)
def test_whatever_happens_who_stands_goes_on_and_who_does_not_waits(
    steps: list[tuple[Interface | None, float]], everything: bool
) -> None:
    world = World(everything=everything)
    paused = set[object]()
    for state, seconds in steps:
        before = world.interfaces
        present = [ETH2] if state is None else [state, ETH2]
        hit = world.becomes(*present)
        died = any(may_have_died(change, A) for change in diff(before, world.interfaces))
        assert died is False or A in hit
        assert everything or B not in hit
        paused = (paused | hit) - world.after(seconds)
    paused -= world.after(REST)
    stands = any(each.up and each.carries(A) for each in world.interfaces.values())
    assert B not in paused
    assert A not in paused or not stands
