"""The changes that an uploader acts on."""

import errno
from collections.abc import Callable

from .changes import AddressesChanged, Change, concerns
from .interfaces import Interface, parse_address
from .monitor import Monitor
from .subscription import Event


class LinkChanges:
    """Says when a connection has lost its way, or there is a new one to try.

    Args:
        monitor: Sees the changes; it was started.
        local: Gives the local address of the connection; None while there is no connection. Left
            out, every loss and every gain counts, but for those of virtual interfaces.
    """

    def __init__(self, monitor: Monitor, local: Callable[[], str | None] | None = None) -> None:
        self._local = local
        self._events = monitor.subscribe()

    async def changed(self) -> str:
        """Wait for the next one, and say what happened.

        None that happens between two calls is missed.

        Raises:
            OSError: The monitor was stopped.
        """
        async for event in self._events:
            if self._matters(event):
                return str(event)
        raise OSError(errno.ESHUTDOWN, "The network is not watched any more")

    def close(self) -> None:
        """Wait no more."""
        self._events.close()

    def _matters(self, event: Event) -> bool:
        if not isinstance(event, Change):
            return False
        if self._local is None:
            return _outer(event) and (_lost_way(event) or _gained_way(event))
        address = self._local()
        if address is None:
            return _outer(event) and _gained_way(event)
        # A way that is new does not make the one in use any worse.
        return concerns(event, parse_address(address)) and not _gained(event, address)


def _outer(change: Change) -> bool:
    side = change.after or change.before
    return side is not None and side.outer


def _lost_way(change: Change) -> bool:
    lost = isinstance(change, AddressesChanged) and bool(change.lost)
    return _usable(change.before) and (lost or not _usable(change.after))


def _gained_way(change: Change) -> bool:
    gained = isinstance(change, AddressesChanged) and bool(change.gained)
    return _usable(change.after) and (gained or not _usable(change.before))


def _gained(change: Change, address: str) -> bool:
    """The connection's own address came, or came up."""
    after = change.after
    return after is not None and after.up and after.carries(parse_address(address))


def _usable(side: Interface | None) -> bool:
    return side is not None and side.usable
