"""Someone who holds a lease, for the contract of locks and for tests of particular ones."""

import asyncio
from typing import Literal

from tusd_py.locks import Locks
from tusd_py.protocol.upload import UploadId

ONE = UploadId("one")
LONG = 5.0


class Signal(asyncio.Event):
    """An event that is not waited for for ever, so that a test fails and does not hang."""

    async def wait(self) -> Literal[True]:
        """Wait until it is set.

        Raises:
            TimeoutError: It is not set for a long time.
        """
        async with asyncio.timeout(LONG):
            return await super().wait()


class Holder:
    """Holds a lease in a task of its own until it is told to leave.

    Args:
        locks: The locks.
        name: Written to ``log`` when the lease is had.
        log: Shared by all holders of a test.
        leaves: It leaves as soon as it is asked to.
    """

    def __init__(self, locks: Locks, name: str, log: list[str], *, leaves: bool = False) -> None:
        self._locks = locks
        self._name = name
        self._log = log
        self._leaves = leaves
        self._leave = asyncio.Event()
        self.held = Signal()
        self.asked = Signal()
        self.times_asked = 0
        self.task: asyncio.Task[None] | None = None

    def start(
        self, upload_id: UploadId = ONE, *, timeout: float = LONG, ask: bool = True
    ) -> asyncio.Task[None]:
        """Go for the lease."""
        self.task = asyncio.create_task(self._hold(upload_id, timeout, ask))
        return self.task

    async def leave(self) -> None:
        """Give the lease back."""
        self._leave.set()
        assert self.task is not None
        await self.task

    def _revoked(self) -> None:
        self.times_asked += 1
        self.asked.set()
        if self._leaves:
            self._leave.set()

    async def _hold(self, upload_id: UploadId, patience: float, ask: bool) -> None:
        hold = self._locks.hold(upload_id, timeout=patience, on_revoke=self._revoked, ask=ask)
        async with hold:
            self._log.append(self._name)
            self.held.set()
            await self._leave.wait()
