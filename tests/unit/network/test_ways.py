"""Over which interface a connection goes."""

from __future__ import annotations

import socket
from dataclasses import replace
from ipaddress import ip_address, ip_interface

import pytest

from tests.unit.network.samples import interface, snapshot
from tusd_py.network import InterfaceKind, carrier
from tusd_py.network.interfaces import InterfaceReader
from tusd_py.network.ways import begin_at, detours, usual_source

HERE = ("127.0.0.1", 9)
# What the system itself would take to get there.
USUAL = interface("dummy0", "127.0.0.1/8")
WLAN0 = interface("wlan0", "198.51.100.7/24", index=2, kind=InterfaceKind.WIFI)
ETH0 = interface("eth0", "192.0.2.2/24", index=3)
DOWN = interface("eth1", "192.0.2.3/24", index=4, up=False)
IPV6 = interface("eth2", "2001:db8::7/64", index=5)
BRIDGE = interface("br0", "172.17.0.1/16", index=6, kind=InterfaceKind.VIRTUAL)


def test_the_system_says_where_it_would_begin() -> None:
    assert ip_address("127.0.0.1") == usual_source(HERE)


def test_the_system_chooses_as_long_as_its_choice_has_a_link() -> None:
    assert () == detours(snapshot(USUAL, WLAN0), HERE)


def test_the_system_chooses_where_nothing_is_known_of_its_choice() -> None:
    assert () == detours(snapshot(WLAN0), HERE)


def test_a_link_that_is_down_is_gone_around_by_what_can_be_used() -> None:
    interfaces = snapshot(replace(USUAL, up=False), WLAN0, ETH0, DOWN, IPV6, BRIDGE)
    assert (ETH0, WLAN0) == detours(interfaces, HERE)


def test_a_socket_begins_at_an_interface() -> None:
    found = carrier(InterfaceReader()(), "127.0.0.1")
    assert found is not None
    # Another machine's address: loopback's own lead nowhere else.
    there = replace(found, addresses=(ip_interface("203.0.113.77/24"),))
    with socket.socket() as connection:
        with pytest.raises(OSError, match="assign requested address"):
            begin_at(connection, there, 4)
        bound = connection.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
    assert b"lo" == bound.rstrip(b"\0")
