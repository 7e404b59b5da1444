"""Interfaces for tests."""

from __future__ import annotations

from ipaddress import ip_interface

from tusd_py.network.interfaces import Interface, Snapshot
from tusd_py.network.kinds import InterfaceKind


def interface(
    name: str,
    *addresses: str,
    up: bool = True,
    index: int = 1,
    kind: InterfaceKind = InterfaceKind.ETHERNET,
) -> Interface:
    """An interface; an address may have its prefix."""
    return Interface(
        name=name,
        index=index,
        kind=kind,
        up=up,
        addresses=tuple(ip_interface(address) for address in addresses),
    )


def snapshot(*interfaces: Interface) -> Snapshot:
    return {each.name: each for each in interfaces}
