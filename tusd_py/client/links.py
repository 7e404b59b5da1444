"""The port through which an upload hears that this machine's way into the network changed."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Protocol, Self, TypeVar

from tusd_py.telemetry import get_logger

T = TypeVar("T")
_log = get_logger(__name__)


class LinkWatcher(Protocol):
    """Knows when an interface or an address comes, goes or changes."""

    async def changed(self) -> str:
        """Wait for the next change and say what changed, in words that follow "because".

        Changes between two calls must not get lost: the next call then returns at once.
        It may be cancelled at any time.
        """
        ...


class LinkChanged(Exception):
    """The link changed while something was under way; the text says how."""


class Links:
    """Tells all transfers of an uploader at once that the link changed.

    Args:
        watcher: Where changes are heard of; None if nobody looks.
    """

    def __init__(self, watcher: LinkWatcher | None) -> None:
        self._watcher = watcher
        self._watching: asyncio.Task[None] | None = None
        self._next: asyncio.Future[str] | None = None
        self.changes = 0
        """How many there were: a connection of before one of them is not to be trusted."""

    async def __aenter__(self) -> Self:
        self._next = asyncio.get_running_loop().create_future()
        if self._watcher is not None:
            self._watching = asyncio.create_task(self._watch(self._watcher))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching is not None:
            await _cancelled(self._watching)
        self._next = None

    async def _watch(self, watcher: LinkWatcher) -> None:
        while True:
            try:
                why = await watcher.changed()
            except OSError as error:
                # Uploads go on: without it, a dead connection is noticed by its silence.
                _log.warning("client.links.unwatched", why=error.strerror)
                return
            self.changes += 1
            change, self._next = self._next, asyncio.get_running_loop().create_future()
            if change is not None:
                change.set_result(why)

    async def until_changed(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something that is dropped at once when the link changes.

        Raises:
            LinkChanged: It did, and the work was cancelled.
        """
        if self._next is None:
            work.close()
            raise RuntimeError("Links are not being watched.")
        change = self._next
        task = asyncio.ensure_future(work)
        try:
            both: set[asyncio.Future[Any]] = {task, change}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        finally:
            await _cancelled(task)
        raise LinkChanged(change.result())


async def _cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end, whatever that is."""
    if not task.done():
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
