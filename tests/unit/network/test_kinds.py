"""The kind of an interface, by name and by what the system says."""

from __future__ import annotations

import pytest

from tusd_py.network.kinds import DeviceFacts, InterfaceKind, kind_of
from tusd_py.network.sysfs import device_facts, has_link

ETHERNET = DeviceFacts(type=1)
HARDWARE = DeviceFacts(type=1, hardware=True)


@pytest.mark.parametrize(
    ("name", "facts", "kind"),
    [
        ("lo", DeviceFacts(type=772), "loopback"),
        ("lo0", None, "loopback"),
        ("Loopback Pseudo-Interface 1", None, "loopback"),
        ("anything", DeviceFacts(type=772), "loopback"),
        ("eth0", HARDWARE, "ethernet"),
        ("enp3s0", HARDWARE, "ethernet"),
        ("en0", None, "ethernet"),
        ("Ethernet 2", None, "ethernet"),
        ("bond0", DeviceFacts(type=1, devtype="bond"), "ethernet"),
        ("eth0.5", DeviceFacts(type=1, devtype="vlan"), "ethernet"),
        ("uplink", HARDWARE, "ethernet"),
        ("LAN-Verbindung", None, "ethernet"),
        ("wlan0", None, "wifi"),
        ("wlp2s0", DeviceFacts(type=1, wireless=True, hardware=True), "wifi"),
        ("Wi-Fi", None, "wifi"),
        ("uplink", DeviceFacts(type=1, devtype="wlan", hardware=True), "wifi"),
        ("eth1", DeviceFacts(type=1, wireless=True), "wifi"),
        ("wwan0", None, "lte"),
        ("wwp0s20f0u6", DeviceFacts(type=1, devtype="wwan"), "lte"),
        ("rmnet_data0", None, "lte"),
        ("ppp0", DeviceFacts(type=512), "cellular"),
        ("pdp_ip0", None, "cellular"),
        ("tun0", DeviceFacts(type=65534, tunnel=True), "vpn"),
        ("office", DeviceFacts(type=65534, tunnel=True), "vpn"),
        ("office", DeviceFacts(type=65534, devtype="wireguard"), "vpn"),
        ("utun3", None, "vpn"),
        ("tailscale0", None, "vpn"),
        ("docker0", DeviceFacts(type=1, devtype="bridge"), "virtual"),
        ("br0", DeviceFacts(type=1, devtype="bridge", hardware=False), "virtual"),
        ("veth1a2b3c", ETHERNET, "virtual"),
        ("vEthernet (WSL)", None, "virtual"),
        ("ifb0", ETHERNET, "virtual"),
        ("awdl0", None, "virtual"),
        ("made-up", ETHERNET, "virtual"),
    ],
)
def test_a_kind_follows_from_name_and_facts(
    name: str, facts: DeviceFacts | None, kind: str
) -> None:
    assert InterfaceKind(kind) == kind_of(name, facts)


def test_what_is_not_there_has_no_facts() -> None:
    assert (None, None) == (device_facts("no-such-thing"), device_facts("../net/lo"))
    assert (None, None) == (has_link("no-such-thing", 1), has_link("../net/lo", 1))
