"""Measures a round trip over one interface by connecting somewhere."""

import asyncio
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from tusd_py.config.network import host_and_port

from .interfaces import Interface
from .ways import Place, begin_at, family_of, version_of

TIMEOUT: Final = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where probes connect to."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``host:port`` or ``[::1]:port``.

        Raises:
            ValueError: It is neither.
        """
        found = host_and_port(text)
        if found is None:
            raise ValueError(f"{text!r} is not of the form host:port.")
        return cls(*found)


async def probe(target: Target, interface: Interface, patience: float = TIMEOUT) -> float | None:
    """Connect from an interface to a target, and close again.

    A target that refuses has answered too. Names are resolved before the time is taken.

    Returns:
        Seconds of one round trip; None if no answer came in ``patience`` seconds, or the interface
        has no address to begin from.
    """
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(patience):
            place = await _place(target, interface)
            if place is not None:
                return await _round_trip(place, interface)
    return None


async def _place(target: Target, interface: Interface) -> Place | None:
    """The first of the target's addresses that is of a version that the interface has."""
    found = await asyncio.get_running_loop().getaddrinfo(
        target.host, target.port, type=socket.SOCK_STREAM
    )
    places = (place for *_, place in found)
    return next(
        (place for place in places if interface.source(version_of(place)) is not None), None
    )


async def _round_trip(place: Place, interface: Interface) -> float:
    version = version_of(place)
    with socket.socket(family_of(version), socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        begin_at(connection, interface, version)
        began = time.monotonic()
        with suppress(ConnectionRefusedError):
            await asyncio.get_running_loop().sock_connect(connection, place)
        return time.monotonic() - began
