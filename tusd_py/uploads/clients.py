"""What is known of clients: in memory, looked up and written in the background."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Final

from tusd_py.metadata import ClientStore
from tusd_py.network.clients import ClientProfile, Observation
from tusd_py.quantities import hours
from tusd_py.telemetry import get_logger

log = get_logger("tusd_py.uploads")

KEEP: Final = hours(24)
"""Seconds for which a client is remembered that does not come back."""

MOST_STORED: Final = 100_000
"""Clients that are kept in the store."""

# In memory: those that came last.
_MOST_KNOWN: Final = 10_000
# Seconds between two writes, and after which another process may have written something else.
_WRITE_EVERY: Final = 5.0
_LOOK_AGAIN: Final = 10.0
_AT_ONCE: Final = 100


class _Known:
    """One client in memory.

    Attributes:
        profile: None if nothing is known of it.
        early: What was seen before it was looked up; None once it was.
        stored: It was in the store when it was looked up or written last.
        unsaved: The store has an older one.
        looked_up_at: Seconds of the event loop's clock.
    """

    __slots__ = ("early", "looked_up_at", "profile", "stored", "unsaved")

    def __init__(self) -> None:
        self.profile: ClientProfile | None = None
        self.early: list[Observation] | None = []
        self.stored = False
        self.unsaved = False
        self.looked_up_at = 0.0


class Clients:
    """Knows the clients of one process; what it learns reaches the store a little later.

    No request waits for the store: of a client that is not in memory nothing is known until it was
    looked up, which the next request finds done. Other processes learn of it by the store, where
    the last one to write about a client counts. Whatever the store raises, it is tried again.

    Args:
        store: Where profiles are kept.
        now: Tells Unix time in seconds.
        most: How many are known at once.
        write_every: Seconds between two writes.
    """

    def __init__(
        self,
        store: ClientStore,
        now: Callable[[], float],
        *,
        most: int = _MOST_KNOWN,
        write_every: float = _WRITE_EVERY,
    ) -> None:
        self._store = store
        self._now = now
        self._most = most
        self._write_every = write_every
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._wanted: dict[str, None] = {}
        self._unsaved: dict[str, None] = {}
        self._write_at = 0.0
        self._wake = asyncio.Event()
        self._failing = False

    def find(self, key: str) -> ClientProfile | None:
        """What is known of a client now; the next time it may be more."""
        return self._get(key).profile

    def note(self, key: str, seen: Observation) -> ClientProfile:
        """Learn something of a client; gives what is known now."""
        known = self._get(key)
        if known.early is None and not known.stored and not known.unsaved:
            # It was not there when it was looked up; another process may have met it since.
            known.early = []
            self._want(key)
        if known.early is not None and len(known.early) < _AT_ONCE:
            known.early.append(seen)
        before = known.profile or ClientProfile(key, seen.at, seen.at)
        known.profile = before.after(seen)
        self._to_be_saved(key, known)
        return known.profile

    async def forget(self, keys: Collection[str]) -> Collection[str]:
        """Know nothing of some clients any more; gives the keys of those that were known.

        Other processes forget them within seconds.

        Raises:
            MetadataError: The store failed.
        """
        here = [key for key in keys if self._drop(key)]
        return {*here, *await self._store.forget(keys)}

    async def close(self) -> None:
        """Write what was learned last, if the store lets it; nothing is tried twice."""
        # Whoever was being looked up when the background ended is looked up again.
        self._wanted |= {key: None for key, known in self._known.items() if known.early}
        await self._look_up()
        await self.write()

    async def run(self) -> None:
        """Look up and write until cancelled."""
        while True:
            await self._until_something_is_due()
            await self._look_up()
            if self._unsaved and asyncio.get_running_loop().time() >= self._write_at:
                await self.write()

    async def write(self) -> None:
        """Write what was learned; what cannot be written is written later."""
        keys, self._unsaved = [*self._unsaved], {}
        self._write_at = asyncio.get_running_loop().time() + self._write_every
        while keys:
            if not await self._write(keys[:_AT_ONCE]):
                # The others would fail as well, and a server that stops would wait for each.
                self._unsaved |= dict.fromkeys(keys)
                return
            del keys[:_AT_ONCE]

    async def _write(self, keys: Iterable[str]) -> bool:
        batch = self._batch(keys)
        if not batch:
            return True
        profiles = [known.profile for known in batch.values() if known.profile is not None]
        for known in batch.values():
            known.unsaved = False
        try:
            stored = [key for key, known in batch.items() if known.stored]
            forgotten = await self._store.keep(profiles, known=stored)
        except Exception as error:
            self._failed("writing", error)
            for known in batch.values():
                known.unsaved = True
            return False
        self._failing = False
        for known in batch.values():
            known.stored = True
        for key in forgotten:
            self._drop(key)
        return True

    def _batch(self, keys: Iterable[str]) -> dict[str, _Known]:
        """What can be written; of who was not looked up, the store may have more."""
        here = {key: self._known[key] for key in keys if key in self._known}
        early = {key for key, known in here.items() if known.early is not None}
        self._unsaved |= dict.fromkeys(early)
        return {key: known for key, known in here.items() if key not in early}

    async def _look_up(self) -> None:
        keys, self._wanted = [*self._wanted], {}
        while keys:
            some, keys = keys[:_AT_ONCE], keys[_AT_ONCE:]
            found: dict[str, ClientProfile] | None = None
            try:
                found = {each.key: each for each in await self._store.find(some)}
            except Exception as error:
                self._failed("reading", error)
            now = asyncio.get_running_loop().time()
            for key in some:
                known = self._known.get(key)
                if known is None:
                    continue
                known.looked_up_at = now
                if found is not None:
                    self._learn(known, found.get(key))
                # Where the store fails, it is begun with what is seen from now on.
                known.early = None

    def _learn(self, known: _Known, stored: ClientProfile | None) -> None:
        """Take over what the store has, with what was seen since it was asked."""
        early = known.early
        if early is None and known.unsaved:
            return
        if stored is not None and self._outlived(stored):
            stored = None
        known.stored = stored is not None
        if stored is not None:
            for seen in early or ():
                stored = stored.after(seen)
            known.profile = stored
        elif early is None:
            # Somebody forgot it.
            known.profile = None

    def _get(self, key: str) -> _Known:
        known = self._known.get(key)
        if known is not None and known.profile is not None and self._outlived(known.profile):
            self._drop(key)
            known = None
        if known is None:
            known = self._known[key] = _Known()
            self._want(key)
            while len(self._known) > self._most:
                # What was not written of it is lost: there are too many.
                self._drop(next(iter(self._known)))
        elif known.early is None and not known.unsaved and _long_ago(known.looked_up_at):
            self._want(key)
        self._known.move_to_end(key)
        return known

    def _outlived(self, profile: ClientProfile) -> bool:
        # A clock that was put back makes it come from the future.
        return abs(self._now() - profile.last_seen) > KEEP

    def _want(self, key: str) -> None:
        self._wanted[key] = None
        self._wake.set()

    def _to_be_saved(self, key: str, known: _Known) -> None:
        known.unsaved = True
        if not self._unsaved:
            self._wake.set()
        self._unsaved[key] = None

    def _drop(self, key: str) -> bool:
        self._wanted.pop(key, None)
        self._unsaved.pop(key, None)
        known = self._known.pop(key, None)
        return known is not None and known.profile is not None

    def _failed(self, doing: str, error: Exception) -> None:
        # One line for all that fail in a row.
        if not self._failing:
            log.warning("clients.unavailable", doing=doing, exc_info=error)
        self._failing = True

    async def _until_something_is_due(self) -> None:
        pause = None
        if self._unsaved:
            pause = max(0.0, self._write_at - asyncio.get_running_loop().time())
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._wake.wait()
        self._wake.clear()


def _long_ago(looked_up_at: float) -> bool:
    """Whether another process may have written something else since."""
    return asyncio.get_running_loop().time() - looked_up_at > _LOOK_AGAIN
