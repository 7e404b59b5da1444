"""Trying until it works: one connection after the other, with pauses that a new link cuts short."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from .endpoint import Endpoint, Unsuccessful
from .errors import GaveUp
from .http import Connection, ConnectionLost
from .links import LinkChanged, Links, News
from .retry import Backoff, Then

T = TypeVar("T")
Work = Callable[[Connection], Awaitable[T]]


class Attempts:
    """Does one thing after the other, each of them as often as it takes.

    Args:
        endpoint: Of the server.
        links: Tell of changes; a connection that has lost its way is dropped, and the next attempt
            made at once.
        backoff: Says how long to pause.
        paused: Called with the reason when a pause begins.
    """

    def __init__(
        self, endpoint: Endpoint, links: Links, backoff: Backoff, paused: Callable[[str], None]
    ) -> None:
        self.backoff = backoff
        self._endpoint = endpoint
        self._links = links
        self._paused = paused
        self._connection: Connection | None = None
        # How many changes there had been when it was begun.
        self._changes = 0

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    async def run(self, work: Work[T], url: Callable[[], str]) -> T:
        """Do something on a connection, again and again until it succeeds.

        Args:
            work: What to do; told the connection, and begun anew with another after a failure.
            url: Says where the next connection leads to.

        Raises:
            UploadFailed: Trying again is of no use, or was of none for too long.
            Unsuccessful: The answer asks for more than another attempt.
        """
        while True:
            try:
                return await self._links.until_changed(self._once(work, url()), self._matters)
            except LinkChanged as change:
                self._drop_for(change)
            except ConnectionLost as lost:
                self.close()
                await self._pause(str(lost), None)
            except Unsuccessful as error:
                self.backoff.reached()
                if error.then is Then.FAIL:
                    raise error.refused() from error
                if error.then is not Then.AGAIN:
                    raise
                await self._pause(str(error), error.retry_after)

    async def _once(self, work: Work[T], url: str) -> T:
        connection = self._connection
        if connection is None or not self._still_good(connection, url):
            self.close()
            self._changes = self._links.changes
            connection = self._connection = await self._endpoint.connect(url)
        return await work(connection)

    def _still_good(self, connection: Connection, url: str) -> bool:
        # Between two requests nobody hears of a change.
        lost = any(map(self._matters, self._links.since(self._changes)))
        return not lost and connection.usable and self._endpoint.leads(connection, url)

    def _matters(self, news: News) -> bool:
        if self._connection is None:
            # One that is coming about may be on its way over any link.
            return news.lost or news.gained
        return self._connection.local is None or news.concerns(self._connection.local)

    async def _pause(self, why: str, at_least: float | None) -> None:
        if at_least is not None and at_least > self.backoff.patience:
            raise GaveUp(self.backoff.silent_for, why, asked=at_least)
        wait = self.backoff.failed(at_least)
        if wait is None:
            raise GaveUp(self.backoff.silent_for, why)
        self._paused(why)
        try:
            await self._links.until_changed(asyncio.sleep(wait), lambda news: news.gained)
        except LinkChanged as change:
            self._drop_for(change)

    def _drop_for(self, change: LinkChanged) -> None:
        self.close()
        self.backoff.link_changed()
        self._paused(str(change))
