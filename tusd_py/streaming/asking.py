"""Asking ``receive()`` for the next message, also for who leaves meanwhile and comes back."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class Asking:
    """Gives the messages of a request one by one.

    Servers need not keep a message whose ``receive()`` is cancelled. So who may come back leaves
    it waiting in a task, and what that brings is the next message.

    Args:
        receive: The ASGI callable.
        repeatable: It can be cancelled and called again, and nothing is lost.
    """

    def __init__(self, receive: Receive, *, repeatable: bool = False) -> None:
        self._receive = receive
        self._repeatable = repeatable
        self._asked: asyncio.Future[Message] | None = None

    @property
    def pending(self) -> bool:
        """A message is waited for, or has come and was not taken."""
        return self._asked is not None

    @property
    def arrived(self) -> bool:
        """A message has come and was not taken."""
        return self._asked is not None and self._asked.done()

    async def next(self, *, returning: bool) -> Message:
        """Take the next message.

        Args:
            returning: Who is cancelled here will ask again.
        """
        if self._asked is None and (self._repeatable or not returning):
            return await self._receive()
        asked = await self._answered()
        self._asked = None
        return asked.result()

    async def arrival(self) -> bool:
        """Wait for the next message and leave it; tells whether the client is still there."""
        asked = await self._answered()
        return asked.exception() is not None or asked.result()["type"] != "http.disconnect"

    def stop_waiting(self) -> None:
        """Wait no more if that loses nothing."""
        if self._repeatable and self._asked is not None and not self._asked.done():
            self.give_up()

    def give_up(self) -> None:
        """Take no more messages."""
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None

    async def _answered(self) -> asyncio.Future[Message]:
        asked = self._asked
        if asked is None:
            asked = self._asked = asyncio.ensure_future(self._receive())
        # Unlike awaiting it, this does not cancel it when the one who waits is cancelled.
        await asyncio.wait((asked,))
        return asked
