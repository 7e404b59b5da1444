"""What kind of link an interface is, from its name and from what Linux says about it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Linux's type of loopback, from if_arp.h.
_LOOPBACK: Final = 772


class InterfaceKind(StrEnum):
    """What a link runs over, as far as that can be told."""

    ETHERNET = "ethernet"
    WIFI = "wifi"
    LTE = "lte"
    CELLULAR = "cellular"
    VPN = "vpn"
    VIRTUAL = "virtual"
    LOOPBACK = "loopback"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """What Linux says about an interface."""

    type: int | None = None
    """The number of its hardware type, as in ``if_arp.h``."""

    devtype: str | None = None
    """The name that its driver gives to its kind, such as ``wlan``."""

    wireless: bool = False
    hardware: bool = False
    """A device on a bus stands behind it, which may be emulated."""

    tunnel: bool = False
    """A program reads and writes its packets: tun or tap."""


_BY_DEVTYPE: Final = {
    "wlan": InterfaceKind.WIFI,
    "wwan": InterfaceKind.LTE,
    "wireguard": InterfaceKind.VPN,
    "bridge": InterfaceKind.VIRTUAL,
}

_VIRTUAL: Final = (
    r"(docker|podman|lxc|lxd|cni|flannel|cali|br-|br\d|bridge|virbr|veth|vethernet|vnet|vmnet|"
    r"vboxnet|dummy|ifb|sit|gre|gretap|erspan|ip6tnl|ip_vti|ip6_vti|tunl|gif|stf|awdl|llw|anpi).*"
)

# The first that fits. Windows and macOS name interfaces too, so case does not count.
_BY_NAME: Final = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (InterfaceKind.LOOPBACK, r"lo\d*|loopback.*"),
        (InterfaceKind.VIRTUAL, _VIRTUAL),
        (InterfaceKind.LTE, r"(wwan|wwp|wwx|rmnet|lte).*"),
        (InterfaceKind.CELLULAR, r"(ppp|pdp_ip|cellular|usbppp).*"),
        (InterfaceKind.VPN, r"(tun|tap|utun|wg|ipsec|tailscale|zt|nordlynx|vpn).*"),
        (InterfaceKind.WIFI, r"(wlan|wlp|wlx|wlo|wifi|wi-fi|ath\d|wl\d).*"),
        (InterfaceKind.ETHERNET, r"(eth|en|em\d|lan|bond|team|ethernet).*"),
    )
)


def kind_of(name: str, facts: DeviceFacts | None) -> InterfaceKind:
    """Tell the kind of an interface.

    Args:
        name: Its name.
        facts: What the system says about it; None where it says nothing.
    """
    if facts is not None:
        told = _told(facts)
        if told is not None:
            return told
    for kind, pattern in _BY_NAME:
        if pattern.fullmatch(name):
            return kind
    # Other systems let people name their interfaces, and those that get names are real ones.
    real = facts is None or facts.hardware
    return InterfaceKind.ETHERNET if real else InterfaceKind.VIRTUAL


def _told(facts: DeviceFacts) -> InterfaceKind | None:
    """The kind, where the facts alone decide; they know better than a name."""
    if facts.type == _LOOPBACK:
        return InterfaceKind.LOOPBACK
    if facts.wireless:
        return InterfaceKind.WIFI
    if facts.tunnel:
        return InterfaceKind.VPN
    return _BY_DEVTYPE.get(facts.devtype or "")
