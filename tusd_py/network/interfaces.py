"""The interfaces of this machine, as they are at one moment."""

import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv6Address,
    IPv6Interface,
    ip_address,
    ip_interface,
)
from typing import Any, Final

import psutil

from .kinds import InterfaceKind, kind_of
from .sysfs import device_facts, has_link

IPAddress = IPv4Address | IPv6Address
IPInterface = IPv4Interface | IPv6Interface


# What goes out over other interfaces, and comes and goes without them.
_INNER: Final = (InterfaceKind.LOOPBACK, InterfaceKind.VIRTUAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What went through an interface since it was made."""

    bytes_sent: int
    bytes_received: int
    packets_sent: int
    packets_received: int
    errors: int
    drops: int
    """Packets that the interface or the system threw away; some of them nobody had asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One interface. Two are equal if connections cannot tell them apart: counters don't count."""

    name: str
    index: int
    """The system's number; another one is another interface, whatever its name."""

    kind: InterfaceKind
    up: bool
    """It is switched on, and has a link: a cable, a network, a peer."""

    addresses: tuple[IPInterface, ...] = ()
    """Sorted, without the zones of link-local ones: the interface is the zone."""

    speed: int | None = None
    """In Mbit/s, None where the driver does not say."""

    mtu: int = field(default=1500, compare=False)
    counters: Counters | None = field(default=None, compare=False)

    @property
    def outer(self) -> bool:
        """It may lead out of this machine by itself, and not over another interface."""
        return self.kind not in _INNER

    @property
    def usable(self) -> bool:
        """Connections beyond this machine and its own link can begin here."""
        return self.up and any(_goes_out(address.ip) for address in self.addresses)

    def carries(self, address: IPAddress) -> bool:
        """Whether it has an address, and is the one that its zone names, if it has a zone."""
        zone = address.scope_id if isinstance(address, IPv6Address) else None
        if zone is not None:
            address = IPv6Address(int(address))
        named = zone in (None, self.name, str(self.index))
        return named and any(own.ip == address for own in self.addresses)

    def source(self, version: int) -> IPAddress | None:
        """Its first address of an IP version, to begin a connection from; None if there is none."""
        fitting = (own.ip for own in self.addresses if own.version == version)
        return next(filter(_goes_out, fitting), None)


Snapshot = Mapping[str, Interface]
"""All interfaces by name."""


def parse_address(text: str) -> IPAddress:
    """Read the address of a socket: with its zone, and as IPv4 if it is that in IPv6's form.

    Raises:
        ValueError: It is none.
    """
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def carrier(interfaces: Snapshot, address: str) -> Interface | None:
    """The interface that has a local address; None if there is none any more.

    Several have the same link-local address at times: ``fe80::1%eth0`` names the one that is
    meant, otherwise one that is up is taken.

    Raises:
        ValueError: It is no address.
    """
    wanted = parse_address(address)
    found = [interface for interface in interfaces.values() if interface.carries(wanted)]
    return next((each for each in found if each.up), found[0] if found else None)


class InterfaceReader:
    """Asks the system. Calls block: make them in a worker thread, one at a time."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[int, str], InterfaceKind] = {}

    def __call__(self) -> Snapshot:
        """All interfaces.

        Raises:
            OSError: The system does not say.
        """
        addresses = psutil.net_if_addrs()
        counters = psutil.net_io_counters(pernic=True)
        indices = {name: index for index, name in socket.if_nameindex()}
        stats = psutil.net_if_stats()
        # Kinds are kept for as long as their interfaces: asking for them takes the longest.
        present = [(indices.get(name, 0), name) for name in stats]
        self._kinds = {key: self._kind(key) for key in present}
        return {
            key[1]: _interface(
                key,
                self._kinds[key],
                stats[key[1]],
                tuple(_addresses(addresses.get(key[1], ()))),
                counters.get(key[1]),
            )
            for key in present
        }

    def differs(self, interfaces: Snapshot) -> bool:
        """Whether the links of those that lead out are others than in a snapshot; a quick look."""
        return any(
            has_link(each.name, each.index) not in (None, each.up)
            for each in interfaces.values()
            if each.outer
        )

    def _kind(self, key: tuple[int, str]) -> InterfaceKind:
        return self._kinds.get(key) or kind_of(key[1], device_facts(key[1]))


def _interface(
    key: tuple[int, str],
    kind: InterfaceKind,
    stats: Any,  # noqa: ANN401 - psutil's tuples have no public type
    addresses: tuple[IPInterface, ...],
    counters: Any,  # noqa: ANN401
) -> Interface:
    index, name = key
    return Interface(
        name=name,
        index=index,
        kind=kind,
        up=_is_up(name, index, stats),
        addresses=addresses,
        speed=stats.speed or None,
        mtu=stats.mtu,
        counters=None if counters is None else _counters(counters),
    )


def _is_up(name: str, index: int, stats: Any) -> bool:  # noqa: ANN401
    on = "up" in stats.flags.split(",")
    link = has_link(name, index) if on else None
    return stats.isup if link is None else link


def _addresses(found: Iterable[Any]) -> Iterator[IPInterface]:
    own = (each for each in found if each.family in (socket.AF_INET, socket.AF_INET6))
    parsed = [_with_prefix(each.address, each.netmask) for each in own]
    # Two versions don't compare with each other.
    yield from sorted((each for each in parsed if each.version == 4), key=_order)  # noqa: PLR2004
    yield from sorted((each for each in parsed if each.version == 6), key=_order)  # noqa: PLR2004


def _order(address: IPInterface) -> tuple[bool, int, int]:
    """The order of addresses of one version: those that lead out first."""
    return not _goes_out(address.ip), int(address.ip), address.network.prefixlen


def _with_prefix(address: str, mask: str | None) -> IPInterface:
    bare = address.partition("%")[0]
    if mask is None:
        return ip_interface(bare)
    return ip_interface(f"{bare}/{int(ip_address(mask)).bit_count()}")


def _goes_out(address: IPAddress) -> bool:
    return not (address.is_link_local or address.is_loopback or address.is_unspecified)


def _counters(found: Any) -> Counters:  # noqa: ANN401
    return Counters(
        bytes_sent=found.bytes_sent,
        bytes_received=found.bytes_recv,
        packets_sent=found.packets_sent,
        packets_received=found.packets_recv,
        errors=found.errin + found.errout,
        drops=found.dropin + found.dropout,
    )
