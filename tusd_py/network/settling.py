"""Waits for an interface that changes to come to rest."""

from dataclasses import dataclass

from .changes import Change, changes_of
from .interfaces import Interface


@dataclass(frozen=True, slots=True)
class Settled:
    """An interface changed, once or many times, and has now been at rest for a while."""

    interface: str
    before: Interface | None
    """As it was before the first change."""

    after: Interface | None
    """As it is now."""

    seen: int
    """How many changes there were."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """What is different for good; nothing if all is as it was."""
        return tuple(changes_of(self.interface, self.before, self.after))


@dataclass(slots=True)
class _Unrest:
    before: Interface | None
    after: Interface | None
    until: float
    seen: int = 0


class Settling:
    """Makes one settled change of many.

    An interface that never comes to rest never settles: it is not to be relied on.

    Args:
        rest: For how many seconds an interface must not change.
    """

    def __init__(self, rest: float) -> None:
        self._rest = rest
        self._restless: dict[str, _Unrest] = {}

    @property
    def restless(self) -> frozenset[str]:
        """The interfaces that have changed and not settled yet."""
        return frozenset(self._restless)

    @property
    def next(self) -> float | None:
        """When the next one settles if nothing more happens; None if all are at rest."""
        return min((unrest.until for unrest in self._restless.values()), default=None)

    def note(self, change: Change, now: float) -> None:
        """Take a change into account that was seen at ``now``, in seconds of any clock."""
        unrest = self._restless.setdefault(
            change.interface, _Unrest(change.before, change.after, now)
        )
        unrest.after = change.after
        unrest.until = now + self._rest
        unrest.seen += 1

    def due(self, now: float) -> tuple[Settled, ...]:
        """Those that have come to rest by now; each is told once."""
        names = sorted(name for name, unrest in self._restless.items() if unrest.until <= now)
        return tuple(self._settled(name, self._restless.pop(name)) for name in names)

    def _settled(self, name: str, unrest: _Unrest) -> Settled:
        return Settled(name, unrest.before, unrest.after, unrest.seen)
