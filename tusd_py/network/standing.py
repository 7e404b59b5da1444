"""What becomes of connections when interfaces change: which may have died, and which can go on."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from .changes import Change, concerns
from .interfaces import Interface, IPAddress
from .settling import Settled


@dataclass(slots=True)
class _Unrest:
    lost: bool = False
    awaited: set[str] = field(default_factory=set)


class Standing:
    """Decides for local addresses, however many connections there are of each.

    It does no I/O and knows no time: it is told of changes, and that interfaces have settled.

    Args:
        everything: Any change disturbs all connections, and not only those that can feel it.
    """

    def __init__(self, *, everything: bool) -> None:
        self._everything = everything
        self._disturbed: dict[IPAddress, _Unrest] = {}

    def changed(self, change: Change, addresses: Iterable[IPAddress]) -> list[IPAddress]:
        """Take a change into account; gives those of the addresses whose connections are to pause.

        What merely gives an address back disturbs nobody, but is to settle before its connections
        go on.
        """
        hit = []
        for address in addresses:
            lost = may_have_died(change, address)
            if lost or self._everything:
                unrest = self._disturbed.setdefault(address, _Unrest())
                unrest.lost = unrest.lost or lost
                unrest.awaited.add(change.interface)
                hit.append(address)
        for address, unrest in self._disturbed.items():
            if concerns(change, address):
                unrest.awaited.add(change.interface)
        return hit

    def settled(self, event: Settled, interfaces: Iterable[Interface]) -> list[IPAddress]:
        """Take note that an interface is at rest; gives the addresses whose connections go on."""
        present = [*interfaces]
        for unrest in self._disturbed.values():
            unrest.awaited.discard(event.interface)
        back = [
            address
            for address, unrest in self._disturbed.items()
            if not unrest.awaited and not (unrest.lost and not _carried(address, present))
        ]
        for address in back:
            del self._disturbed[address]
        return back

    def at_rest(self, address: IPAddress) -> bool:
        """Nothing that disturbs its connections is going on, though it may be gone."""
        unrest = self._disturbed.get(address)
        return unrest is None or not unrest.awaited

    def forget(self, address: IPAddress) -> None:
        """It has no more connections."""
        self._disturbed.pop(address, None)


def may_have_died(change: Change, address: IPAddress) -> bool:
    """Whether a change takes a connection's local address away, or the link below it."""
    return concerns(change, address) and not _carried(
        address, () if change.after is None else (change.after,)
    )


def _carried(address: IPAddress, interfaces: Iterable[Interface]) -> bool:
    return any(each.up and each.carries(address) for each in interfaces)
