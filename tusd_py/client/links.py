"""The port through which an upload hears that this machine's way into the network changed."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeVar, runtime_checkable

from tusd_py.telemetry import get_logger

if TYPE_CHECKING:
    from tusd_py.network import Snapshot

T = TypeVar("T")
_log = get_logger(__name__)

# Of so many latest news those can tell what concerns them who were busy meanwhile.
_KEPT: Final = 1000


class LinkWatcher(Protocol):
    """Knows when an interface or an address comes, goes or changes."""

    async def changed(self) -> str:
        """Wait for the next change and say what changed, in words that follow "because".

        Changes between two calls must not get lost: the next call then returns at once.
        It may be cancelled at any time.
        """
        ...


class News(Protocol):
    """Something that happened to the links; as text it says what."""

    def concerns(self, local: str) -> bool:
        """Whether a connection that begins at this address has lost its way."""
        ...

    @property
    def lost(self) -> bool:
        """There is a way less."""
        ...

    @property
    def gained(self) -> bool:
        """There is a way more to try."""
        ...


@runtime_checkable
class Machine(Protocol):
    """Knows this machine's links one by one."""

    @property
    def interfaces(self) -> "Snapshot":
        """What there is at this moment."""
        ...

    async def news(self) -> News:
        """Wait for the next; otherwise as ``LinkWatcher.changed``."""
        ...

    def chunk_size(self, local: str) -> int | None:
        """Most bytes of one request over the link with this address; None is no matter."""
        ...


class LinkChanged(Exception):
    """The link changed while something was under way; the text says how."""


Matters = Callable[[News], bool]


class Links:
    """Tells all transfers of an uploader at once what happens to the links.

    Args:
        watcher: Where changes are heard of; None if nobody looks.
    """

    def __init__(self, watcher: "LinkWatcher | Machine | None") -> None:
        self._machine: Machine | None = None
        self._hear: Callable[[], Awaitable[News]] | None = None
        if isinstance(watcher, Machine):
            self._machine, self._hear = watcher, watcher.news
        elif watcher is not None:
            self._hear = partial(_anything, watcher)
        self._watching: asyncio.Task[None] | None = None
        self._next: asyncio.Future[None] | None = None
        self._news: deque[News] = deque(maxlen=_KEPT)
        self.changes = 0
        """How many there were so far."""

    async def __aenter__(self) -> Self:
        self._next = asyncio.get_running_loop().create_future()
        if self._hear is not None:
            self._watching = asyncio.create_task(self._watch(self._hear))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching is not None:
            await _cancelled(self._watching)
        self._next = None

    @property
    def interfaces(self) -> "Snapshot":
        """What there is at this moment; nothing where nobody knows."""
        return self._machine.interfaces if self._machine is not None else {}

    def chunk_size(self, local: str | None) -> int | None:
        """Most bytes of one request over the link with this address; None is no matter."""
        if self._machine is None or local is None:
            return None
        return self._machine.chunk_size(local)

    def since(self, changes: int) -> Sequence[News]:
        """The news after so many."""
        return [*self._news][max(0, len(self._news) - (self.changes - changes)) :]

    async def _watch(self, hear: Callable[[], Awaitable[News]]) -> None:
        while True:
            try:
                news = await hear()
            except OSError as error:
                # Uploads go on: without it, a dead connection is noticed by its silence.
                _log.warning("client.links.unwatched", why=error.strerror)
                return
            self.changes += 1
            self._news.append(news)
            told, self._next = self._next, asyncio.get_running_loop().create_future()
            if told is not None:
                told.set_result(None)

    async def until_changed(
        self, work: Coroutine[Any, Any, T], matters: Matters = lambda _: True
    ) -> T:
        """Do something that is dropped at once when the links change in a way that matters to it.

        Raises:
            LinkChanged: They did, and the work was cancelled.
        """
        if self._next is None:
            work.close()
            raise RuntimeError("Links are not being watched.")
        changes = self.changes
        task = asyncio.ensure_future(work)
        try:
            while True:
                both: set[asyncio.Future[Any]] = {task, self._next}
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    return task.result()
                found = next(filter(matters, self.since(changes)), None)
                if found is not None:
                    break
                changes = self.changes
        finally:
            await _cancelled(task)
        raise LinkChanged(str(found))


class _Anything:
    """News of which nobody knows what it is about."""

    lost = gained = True

    def __init__(self, why: str) -> None:
        self._why = why

    def __str__(self) -> str:
        return self._why

    def concerns(self, local: str) -> bool:  # noqa: ARG002 - the port's
        return True


async def _anything(watcher: LinkWatcher) -> News:
    return _Anything(await watcher.changed())


async def _cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end, whatever that is."""
    if not task.done():
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
