"""What the monitor tells to whoever asked for it."""

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from .changes import Change, concerns
from .interfaces import IPAddress
from .settling import Settled

Event = Change | Settled
"""A change as soon as it is seen, or an interface that has come to rest."""

# Whoever does not take what it asked for loses the oldest: what counts is how things are now.
_KEPT: Final = 1000


class Subscription:
    """Events in their order, from the moment it was made; iterate over it, and close it.

    Args:
        wants: Says which events to keep.
        forget: Called with the subscription when it is closed.
    """

    def __init__(
        self, wants: Callable[[Event], bool], forget: Callable[["Subscription"], None]
    ) -> None:
        self._wants = wants
        self._forget = forget
        self._events: deque[Event] = deque(maxlen=_KEPT)
        self._something = asyncio.Event()
        self._ended = False

    def put(self, event: Event) -> None:
        """Hand an event over; the monitor does."""
        if self._wants(event):
            self._events.append(event)
            self._something.set()

    def end(self) -> None:
        """Let the iteration end once everything was taken; the monitor does when it stops."""
        self._ended = True
        self._something.set()

    def close(self) -> None:
        """Ask for no more."""
        self._forget(self)
        self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._ended:
                raise StopAsyncIteration
            self._something.clear()
            await self._something.wait()
        return self._events.popleft()


def of_address(address: IPAddress) -> Callable[[Event], bool]:
    """Want what a connection with this local address can feel."""

    def wants(event: Event) -> bool:
        if isinstance(event, Settled):
            sides = (event.before, event.after)
            return any(side is not None and side.carries(address) for side in sides)
        return concerns(event, address)

    return wants


def of_interface(name: str) -> Callable[[Event], bool]:
    """Want what happens to one interface."""
    return lambda event: event.interface == name
