"""Making a connection, around links that are down."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from .address import Address

if TYPE_CHECKING:
    from tusd_py.network import Interface, Snapshot
    from tusd_py.network.ways import Place

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

# Between attempts at the addresses of one name, as RFC 8305 recommends.
_NEXT_ADDRESS: Final = 0.25
# For so long one of several ways around is tried, in seconds.
_NEXT_WAY: Final = 2.0


async def dial(address: Address, tls: ssl.SSLContext | None, interfaces: "Snapshot") -> Streams:
    """Connect, over another link where the system would take one that is down.

    Args:
        address: Where to.
        tls: How certificates are verified.
        interfaces: What is known of this machine's links, if anything.

    Raises:
        OSError: Nobody takes the connection.
    """
    options: dict[str, Any] = {"ssl": tls} if address.scheme == "https" else {}
    begun = await _around(address, interfaces)
    if begun is not None:
        if "ssl" in options:
            options["server_hostname"] = address.host
        return await asyncio.open_connection(sock=begun, **options)
    if isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
        # uvloop has no such option, and tries one address after the other.
        options["happy_eyeballs_delay"] = _NEXT_ADDRESS
    return await asyncio.open_connection(address.host, address.port, **options)


async def _around(address: Address, interfaces: "Snapshot") -> socket.socket | None:
    """A connection over another link than the system's choice; None if that will do."""
    if all(each.up for each in interfaces.values() if each.outer and each.addresses):
        return None
    found = await asyncio.get_running_loop().getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM
    )
    from tusd_py.network.ways import connected_over

    failure: OSError | None = None
    for place, interface in _ways(interfaces, [place for *_, place in found]):
        try:
            async with asyncio.timeout(_NEXT_WAY):
                return await connected_over(interface, place)
        except OSError as error:
            failure = error
    if failure is not None:
        raise failure
    return None


def _ways(interfaces: "Snapshot", places: "list[Place]") -> "Iterator[tuple[Place, Interface]]":
    from tusd_py.network.ways import detours

    around = {place: detours(interfaces, place) for place in places}
    if all(around.values()):
        yield from ((place, interface) for place in places for interface in around[place])
