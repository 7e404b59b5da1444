"""Measures a round trip over one interface by connecting somewhere."""

import asyncio
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self

from .interfaces import Interface, parse_address

TIMEOUT: Final = 1.0

_MOST_PORT: Final = 65535
_TARGET: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s/:\[\]]+)):([0-9]{1,5})")


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
        match = _TARGET.fullmatch(text)
        if match is None or not 0 < int(match[3]) <= _MOST_PORT:
            raise ValueError(f"{text!r} is not of the form host:port.")
        return cls(match[1] or match[2], int(match[3]))


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


async def _place(target: Target, interface: Interface) -> tuple[Any, ...] | None:
    """The first of the target's addresses that is of a version that the interface has."""
    found = await asyncio.get_running_loop().getaddrinfo(
        target.host, target.port, type=socket.SOCK_STREAM
    )
    places = (place for *_, place in found)
    return next((place for place in places if interface.source(_version(place)) is not None), None)


async def _round_trip(place: tuple[Any, ...], interface: Interface) -> float:
    version = _version(place)
    family = socket.AF_INET if version == 4 else socket.AF_INET6  # noqa: PLR2004
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        _stay_on(connection, interface.name)
        connection.bind((str(interface.source(version)), 0))
        began = time.monotonic()
        with suppress(ConnectionRefusedError):
            await asyncio.get_running_loop().sock_connect(connection, place)
        return time.monotonic() - began


def _version(place: tuple[Any, ...]) -> int:
    return parse_address(place[0]).version


def _stay_on(connection: socket.socket, name: str) -> None:
    """Keep a connection on its interface where the system lets it; the address alone may not."""
    if hasattr(socket, "SO_BINDTODEVICE"):
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
