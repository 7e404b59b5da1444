"""Interfaces as the system has them, and which of them has an address."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tests.unit.network.samples import interface, snapshot
from tusd_py.network.interfaces import InterfaceReader, carrier, parse_address
from tusd_py.network.kinds import InterfaceKind

LINKS = snapshot(
    interface("eth0", "192.0.2.2/24", "2001:db8::2/64", "fe80::1/64", index=2),
    interface("wlan0", "198.51.100.7/24", "fe80::1/64", index=3),
    interface("ppp0", "192.0.2.2/32", up=False, index=4),
)


def test_this_machine_has_a_loopback() -> None:
    found = InterfaceReader()()
    name = carrier(found, "127.0.0.1")
    assert name is not None
    assert (True, InterfaceKind.LOOPBACK, False) == (name.up, name.kind, name.usable)
    assert name.counters is not None
    assert name.index > 0


def test_two_looks_at_what_did_not_change_are_equal() -> None:
    read = InterfaceReader()
    assert read() == read()


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("198.51.100.7", "wlan0"),
        ("2001:db8::2", "eth0"),
        ("::ffff:198.51.100.7", "wlan0"),
        ("192.0.2.2", "eth0"),
        ("fe80::1%wlan0", "wlan0"),
        ("fe80::1%3", "wlan0"),
        ("203.0.113.1", None),
    ],
)
def test_the_interface_of_an_address_is_found(address: str, name: str | None) -> None:
    found = carrier(LINKS, address)
    assert name == (found.name if found else None)


def test_an_address_that_only_a_dead_link_has_is_found_there() -> None:
    found = carrier(snapshot(LINKS["ppp0"]), "192.0.2.2")
    assert LINKS["ppp0"] == found


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="unix"):
        parse_address("unix")


@pytest.mark.parametrize(
    ("addresses", "up", "usable"),
    [
        (("192.0.2.2/24",), True, True),
        (("192.0.2.2/24",), False, False),
        (("fe80::1/64", "169.254.3.4/16"), True, False),
        ((), True, False),
    ],
)
def test_what_can_be_used_is_up_and_has_an_address_that_leads_out(
    addresses: tuple[str, ...], up: bool, usable: bool
) -> None:
    assert usable == interface("eth0", *addresses, up=up).usable


def test_connections_begin_at_an_address_of_their_version() -> None:
    link = LINKS["eth0"]
    assert ip_address("192.0.2.2") == link.source(4)
    assert ip_address("2001:db8::2") == link.source(6)
    assert LINKS["wlan0"].source(6) is None
