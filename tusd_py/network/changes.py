"""What is different between two looks at the interfaces."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from .interfaces import Interface, IPAddress, IPInterface, Snapshot


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one interface."""

    name: ClassVar[str]
    """What happened, in one word, for logs and programs."""

    interface: str
    before: Interface | None
    """None if it was not there."""

    after: Interface | None
    """None if it is gone."""

    def __str__(self) -> str:
        return f"{self.interface} {self._what()}"

    def _what(self) -> str:
        return f"was {self.name}"


@dataclass(frozen=True, slots=True)
class Added(Change):
    """There is a new interface, which may be down."""

    name: ClassVar[str] = "added"


@dataclass(frozen=True, slots=True)
class Removed(Change):
    """The interface is gone, with its addresses."""

    name: ClassVar[str] = "removed"


@dataclass(frozen=True, slots=True)
class WentUp(Change):
    """It has its link again."""

    name: ClassVar[str] = "up"

    def _what(self) -> str:
        return "went up"


@dataclass(frozen=True, slots=True)
class WentDown(Change):
    """It lost its link, or was switched off; its addresses may stay for a while."""

    name: ClassVar[str] = "down"

    def _what(self) -> str:
        return "went down"


@dataclass(frozen=True, slots=True)
class AddressesChanged(Change):
    """It gained or lost addresses."""

    name: ClassVar[str] = "addresses"

    @property
    def gained(self) -> tuple[IPInterface, ...]:
        """Those that are new."""
        return _without(self.after, self.before)

    @property
    def lost(self) -> tuple[IPInterface, ...]:
        """Those that are gone."""
        return _without(self.before, self.after)

    def _what(self) -> str:
        gained = [f"gained {address}" for address in self.gained]
        lost = [f"lost {address}" for address in self.lost]
        return " and ".join(lost + gained)


def diff(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """All changes from one snapshot to the next, interface by interface.

    An interface that was replaced by another of its name was removed, and one was added.
    """
    names = sorted({*before, *after})
    return tuple(
        change for name in names for change in changes_of(name, before.get(name), after.get(name))
    )


def changes_of(name: str, before: Interface | None, after: Interface | None) -> Iterator[Change]:
    """The changes of one interface; what was lost comes before what was gained."""
    if before is None or after is None or before.index != after.index:
        if before is not None:
            yield Removed(name, before, None)
        if after is not None:
            yield Added(name, None, after)
        return
    if before.up and not after.up:
        yield WentDown(name, before, after)
    if before.addresses != after.addresses:
        yield AddressesChanged(name, before, after)
    if after.up and not before.up:
        yield WentUp(name, before, after)


def concerns(change: Change, address: IPAddress) -> bool:
    """Whether a connection from or to this local address can feel a change.

    Other addresses that its interface gains or loses are no concern of it.
    """
    had = change.before is not None and change.before.carries(address)
    has = change.after is not None and change.after.carries(address)
    if isinstance(change, AddressesChanged):
        return had != has
    return had or has


def _without(of: Interface | None, other: Interface | None) -> tuple[IPInterface, ...]:
    there = other.addresses if other is not None else ()
    return tuple(each for each in (of.addresses if of is not None else ()) if each not in there)
