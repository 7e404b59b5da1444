"""Two snapshots, and what happened between them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.network.samples import interface, snapshot
from tusd_py.network.changes import AddressesChanged, concerns, diff
from tusd_py.network.interfaces import Interface, Snapshot

ETH0 = interface("eth0", "192.0.2.2/24")
OTHER = interface("wlan0", "198.51.100.7/24")
DOWN = replace(ETH0, up=False)
BARE = replace(ETH0, addresses=())
MOVED = replace(ETH0, addresses=(ip_interface("192.0.2.9/24"),))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, ETH0, ["eth0 was added"]),
        (ETH0, None, ["eth0 was removed"]),
        (ETH0, DOWN, ["eth0 went down"]),
        (DOWN, ETH0, ["eth0 went up"]),
        (ETH0, BARE, ["eth0 lost 192.0.2.2/24"]),
        (BARE, ETH0, ["eth0 gained 192.0.2.2/24"]),
        (ETH0, MOVED, ["eth0 lost 192.0.2.2/24 and gained 192.0.2.9/24"]),
        (ETH0, replace(BARE, up=False), ["eth0 went down", "eth0 lost 192.0.2.2/24"]),
        (ETH0, replace(ETH0, index=7), ["eth0 was removed", "eth0 was added"]),
        (ETH0, replace(ETH0, mtu=1280), []),
        (ETH0, ETH0, []),
    ],
)
def test_a_change_is_told(
    before: Interface | None, after: Interface | None, told: list[str]
) -> None:
    first = snapshot(OTHER, *([before] if before else []))
    second = snapshot(OTHER, *([after] if after else []))
    assert told == [str(change) for change in diff(first, second)]


@pytest.mark.parametrize(
    ("after", "felt"),
    [
        (DOWN, True),
        (BARE, True),
        (MOVED, True),
        (None, True),
        (replace(ETH0, addresses=(*ETH0.addresses, ip_interface("192.0.2.9/24"))), False),
    ],
)
def test_a_connection_feels_what_happens_to_its_own_address(
    after: Interface | None, felt: bool
) -> None:
    changes = diff(snapshot(ETH0, OTHER), snapshot(OTHER, *([after] if after else [])))
    assert felt == any(concerns(change, ip_address("192.0.2.2")) for change in changes)
    assert not any(concerns(change, ip_address("198.51.100.7")) for change in changes)


INTERFACES = st.builds(
    interface,
    st.sampled_from(["eth0", "wlan0", "tun0"]),
    st.sampled_from(["192.0.2.2/24", "198.51.100.7/24"]),
    up=st.booleans(),
    index=st.sampled_from([1, 2]),
)
SNAPSHOTS = st.lists(INTERFACES).map(lambda found: snapshot(*found))


@given(SNAPSHOTS, SNAPSHOTS)
def test_changes_say_all_that_is_different(before: Snapshot, after: Snapshot) -> None:
    told = dict(before)
    for change in diff(before, after):
        if change.after is None:
            del told[change.interface]
        else:
            told[change.interface] = change.after
    assert after == told


@given(SNAPSHOTS, SNAPSHOTS)
def test_what_is_gained_one_way_is_lost_the_other_way(before: Snapshot, after: Snapshot) -> None:
    there = {
        (c.interface, c.gained, c.lost)
        for c in diff(before, after)
        if isinstance(c, AddressesChanged)
    }
    back = {
        (c.interface, c.lost, c.gained)
        for c in diff(after, before)
        if isinstance(c, AddressesChanged)
    }
    assert there == back
