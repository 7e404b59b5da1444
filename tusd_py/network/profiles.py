"""What is assumed of a kind of link before it has been measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tusd_py.quantities import KB, MB

from .kinds import InterfaceKind


@dataclass(frozen=True, slots=True)
class Profile:
    """Where to start on a kind of link. Sizes are in bytes."""

    buffer: int
    chunk: int
    priority: int
    """The lower, the sooner such a link is used."""


PROFILES: Final[Mapping[InterfaceKind, Profile]] = {
    InterfaceKind.ETHERNET: Profile(buffer=MB, chunk=10 * MB, priority=10),
    InterfaceKind.WIFI: Profile(buffer=512 * KB, chunk=5 * MB, priority=20),
    InterfaceKind.LTE: Profile(buffer=256 * KB, chunk=2 * MB, priority=30),
    InterfaceKind.CELLULAR: Profile(buffer=128 * KB, chunk=512 * KB, priority=40),
    # What lies below these is not known, so they start as a slow network does.
    InterfaceKind.VPN: Profile(buffer=256 * KB, chunk=2 * MB, priority=50),
    InterfaceKind.VIRTUAL: Profile(buffer=256 * KB, chunk=2 * MB, priority=60),
    InterfaceKind.LOOPBACK: Profile(buffer=MB, chunk=10 * MB, priority=70),
}
