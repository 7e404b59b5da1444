"""Locks of one event loop."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType

from tusd_py.errors import LockTimeout
from tusd_py.protocol.upload import UploadId


class _Lease:
    """The holder, and those who wait. A lease without holder does not exist."""

    __slots__ = ("on_revoke", "waiters")

    def __init__(self, on_revoke: Callable[[], None]) -> None:
        self.on_revoke: Callable[[], None] | None = on_revoke
        self.waiters: deque[_Waiter] = deque()

    def revoke(self) -> None:
        """Ask the holder to leave, once."""
        if self.on_revoke is not None:
            on_revoke, self.on_revoke = self.on_revoke, None
            on_revoke()


class _Waiter:
    """Someone in the queue; ``turn`` is done when the lease is theirs."""

    __slots__ = ("ask", "on_revoke", "turn")

    def __init__(self, on_revoke: Callable[[], None], *, ask: bool) -> None:
        self.on_revoke = on_revoke
        self.ask = ask
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Hold:
    """A lease for the duration of an ``async with`` block; cheaper than a generator."""

    __slots__ = ("_acquire", "_release")

    def __init__(self, acquire: Callable[[], Awaitable[None]], release: Callable[[], None]) -> None:
        self._acquire = acquire
        self._release = release

    async def __aenter__(self) -> None:
        await self._acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()


class MemoryLocks:
    """Locks that live and die with the process; enough for one worker."""

    def __init__(self) -> None:
        self._leases: dict[UploadId, _Lease] = {}

    def __len__(self) -> int:
        """How many leases are held."""
        return len(self._leases)

    async def start(self) -> None:
        # Leases of an earlier event loop died with it.
        self._leases.clear()

    async def close(self) -> None:
        self._leases.clear()

    def leads(self) -> bool:
        return True

    async def others_died(self) -> bool:
        return False

    def revoke(self, upload_id: UploadId) -> None:
        """Ask the holder to leave, on behalf of somebody elsewhere."""
        if upload_id in self._leases:
            self._leases[upload_id].revoke()

    def hold(
        self,
        upload_id: UploadId,
        *,
        timeout: float,
        on_revoke: Callable[[], None],
        ask: bool = True,
    ) -> "Hold":
        acquire = partial(self.acquire, upload_id, timeout, on_revoke, ask=ask)
        return Hold(acquire, partial(self.release, upload_id))

    async def acquire(
        self, upload_id: UploadId, patience: float, on_revoke: Callable[[], None], *, ask: bool
    ) -> None:
        """Begin to hold a lease, for others who build on this; see ``Locks.hold``."""
        lease = self._leases.get(upload_id)
        if lease is None:
            self._leases[upload_id] = _Lease(on_revoke)
        else:
            await self._queue(upload_id, lease, _Waiter(on_revoke, ask=ask), patience)

    async def _queue(
        self, upload_id: UploadId, lease: _Lease, waiter: _Waiter, patience: float
    ) -> None:
        if patience <= 0:
            raise LockTimeout(upload_id)
        lease.waiters.append(waiter)
        if waiter.ask:
            lease.revoke()
        try:
            await asyncio.wait((waiter.turn,), timeout=patience)
        except asyncio.CancelledError:
            if waiter.turn.done():
                self.release(upload_id)
            else:
                lease.waiters.remove(waiter)
            raise
        if not waiter.turn.done():
            lease.waiters.remove(waiter)
            raise LockTimeout(upload_id)

    def release(self, upload_id: UploadId) -> None:
        """End to hold a lease."""
        lease = self._leases.get(upload_id)
        if lease is None:
            return
        if not lease.waiters:
            del self._leases[upload_id]
            return
        following = lease.waiters.popleft()
        lease.on_revoke = following.on_revoke
        following.turn.set_result(None)
        if any(waiter.ask for waiter in lease.waiters):
            # Others wait already, so the new holder hears of it before it starts.
            asyncio.get_running_loop().call_soon(lease.revoke)
