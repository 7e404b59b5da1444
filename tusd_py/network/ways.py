"""Over which interface a connection goes that this machine begins."""

import asyncio
import socket
from contextlib import suppress
from typing import Any, Final

from .interfaces import Interface, IPAddress, Snapshot, carrier, parse_address
from .profiles import PROFILES

Place = tuple[Any, ...]
"""The address of a socket, as the system resolves names to it."""


# Two that nobody has a route for, but for the one to everywhere.
_ANYWHERE: Final[dict[int, Place]] = {4: ("192.0.0.8", 9), 6: ("2000::1", 9)}


def version_of(place: Place) -> int:
    """The IP version of a place, 4 or 6."""
    return parse_address(place[0]).version


def family_of(version: int) -> socket.AddressFamily:
    """The sockets of an IP version."""
    return socket.AF_INET if version == 4 else socket.AF_INET6  # noqa: PLR2004


def begin_at(connection: socket.socket, interface: Interface, version: int) -> None:
    """Let a socket that is new begin at an interface, and stay on it where the system allows that.

    Its address alone does not keep a connection there: the system sends by where it goes to.

    Raises:
        OSError: The interface has no such address any more.
    """
    if hasattr(socket, "SO_BINDTODEVICE"):
        with suppress(OSError):
            name = interface.name.encode()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name)
    connection.bind((str(interface.source(version)), 0))


def usual_source(place: Place) -> IPAddress | None:
    """The address that the system itself would begin from; None if it knows no way.

    Nothing is sent for that.
    """
    family = family_of(version_of(place))
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        try:
            asking.connect(place)
        except OSError:
            return None
        return parse_address(asking.getsockname()[0])


async def connected_over(interface: Interface, place: Place) -> socket.socket:
    """Connect to a place from an interface.

    Raises:
        OSError: Nobody takes the connection, or the interface has no fitting address.
    """
    version = version_of(place)
    connection = socket.socket(family_of(version), socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        begin_at(connection, interface, version)
        await asyncio.get_running_loop().sock_connect(connection, place)
    except BaseException:
        connection.close()
        raise
    return connection


def preferred(active: Interface | None, place: Place) -> Interface | None:
    """The interface in use, if a connection to a place is to begin there against the system's view.

    That is so if the system would take another of the ways that lead everywhere. What has a route
    of its own (this machine, its own networks, what lies behind a tunnel) is left to it.
    """
    version = version_of(place)
    if active is None or not active.usable or active.source(version) is None:
        return None
    usual = usual_source(place)
    if usual is None or active.carries(usual):
        return None
    return active if usual == usual_source(_ANYWHERE[version]) else None


def detours(interfaces: Snapshot, place: Place) -> tuple[Interface, ...]:
    """The interfaces to try, the best first, if the system would send over one without a link.

    It does so when a cable is pulled: the routes stay, until somebody removes them. None leaves
    the choice to the system.
    """
    source = usual_source(place)
    usual = carrier(interfaces, str(source)) if source is not None else None
    if usual is None or usual.up:
        return ()
    version = version_of(place)
    fitting = (
        each
        for each in interfaces.values()
        if each.outer and each.usable and each.source(version) is not None
    )
    return tuple(sorted(fitting, key=lambda each: (PROFILES[each.kind].priority, each.name)))
