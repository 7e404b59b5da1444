"""The machine's links: what they are, that they change, how good they are, and which one to use."""

from .changes import Added, AddressesChanged, Change, Removed, WentDown, WentUp
from .interfaces import Interface, Snapshot, carrier
from .kinds import InterfaceKind
from .links import Links
from .monitor import Monitor
from .quality import Quality
from .selection import Rules, Switch
from .settling import Settled
from .standing import Standing
from .subscription import Subscription
from .watcher import LinkChanges, LinkNews

__all__ = [
    "Added",
    "AddressesChanged",
    "Change",
    "Interface",
    "InterfaceKind",
    "LinkChanges",
    "LinkNews",
    "Links",
    "Monitor",
    "Quality",
    "Removed",
    "Rules",
    "Settled",
    "Snapshot",
    "Standing",
    "Subscription",
    "Switch",
    "WentDown",
    "WentUp",
    "carrier",
]
