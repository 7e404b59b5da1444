"""The changes that an uploader acts on."""

import errno
from collections.abc import Callable
from dataclasses import dataclass

from .changes import AddressesChanged, Change, concerns
from .interfaces import Interface, parse_address
from .monitor import Monitor


@dataclass(frozen=True, slots=True)
class LinkNews:
    """A change, as those see it whose connections it may end, or who wait for a way."""

    change: Change

    def __str__(self) -> str:
        return str(self.change)

    def concerns(self, local: str) -> bool:
        """Whether a connection that begins at this address has lost its way.

        A way that is new does not make the one in use any worse.
        """
        return concerns(self.change, parse_address(local)) and not _gained(self.change, local)

    @property
    def lost(self) -> bool:
        """There is a way out of this machine less."""
        return _outer(self.change) and _lost_way(self.change)

    @property
    def gained(self) -> bool:
        """There is a way out of this machine more."""
        return _outer(self.change) and _gained_way(self.change)


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

    async def news(self) -> LinkNews:
        """Wait for the next change of any interface; none that happens between two calls is missed.

        Raises:
            OSError: The monitor was stopped.
        """
        async for event in self._events:
            if isinstance(event, Change):
                return LinkNews(event)
        raise OSError(errno.ESHUTDOWN, "The network is not watched any more")

    async def changed(self) -> str:
        """Wait for the next one that matters, and say what happened; otherwise as ``news``."""
        while True:
            news = await self.news()
            if self._matters(news):
                return str(news)

    def close(self) -> None:
        """Wait no more."""
        self._events.close()

    def _matters(self, news: LinkNews) -> bool:
        if self._local is None:
            return news.lost or news.gained
        address = self._local()
        return news.gained if address is None else news.concerns(address)


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
