"""Locks between the processes of one machine that share a folder."""

import asyncio
import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tusd_py.errors import LockTimeout, StorageError
from tusd_py.protocol.upload import UploadId

from .kernel import ByteLocks
from .mailbox import Mailbox
from .memory import Hold, MemoryLocks

_LEADER = 0
# How often a waiter looks by itself: a holder that was killed tells nobody.
_LOOK_AGAIN = 0.1
# After a lease was asked for from outside, how long the waiters inside let others go first.
_GIVE_WAY = 0.05


class FileLocks:
    """One writer for each upload among all processes with this folder.

    Within the process ``MemoryLocks`` keep the order; who is first there takes a kernel lock, which
    vanishes with the process. Processes ask each other for leases through mailboxes, and tell those
    who asked when they are free.

    Args:
        folder: Created at the start; on a file system of this machine.
    """

    def __init__(self, folder: Path | str) -> None:
        self._folder = Path(folder)
        self._inside = MemoryLocks()
        self._kernel: ByteLocks | None = None
        self._mailbox: Mailbox | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leads = False
        self._sending: set[asyncio.Future[None]] = set()
        # Of the leases held here: the mailboxes of those who asked for them.
        self._asked_by: dict[UploadId, list[str]] = {}
        self._free: dict[UploadId, asyncio.Event] = {}
        self._give_way: dict[UploadId, float] = {}

    async def start(self) -> None:
        await self.close()
        await self._inside.start()
        self._kernel, mailbox = await asyncio.to_thread(self._open)
        self._mailbox, self._loop = mailbox, asyncio.get_running_loop()
        self._loop.add_reader(mailbox.fd, self._read)

    async def close(self) -> None:
        if self._kernel is None or self._mailbox is None:
            return
        kernel, mailbox, loop = self._kernel, self._mailbox, self._loop
        self._kernel = self._mailbox = None
        self._leads = False
        self._asked_by.clear()
        self._give_way.clear()
        if loop is asyncio.get_running_loop():
            loop.remove_reader(mailbox.fd)
            await asyncio.gather(*self._sending)
        self._sending.clear()
        await asyncio.to_thread(_close, kernel, mailbox)
        await self._inside.close()

    def leads(self) -> bool:
        self._leads = self._leads or self._open_kernel().take(_LEADER)
        return self._leads

    async def others_died(self) -> bool:
        return self._mailbox is not None and await asyncio.to_thread(self._mailbox.forget_dead)

    def hold(
        self,
        upload_id: UploadId,
        *,
        timeout: float,
        on_revoke: Callable[[], None],
        ask: bool = True,
    ) -> Hold:
        acquire = partial(self._acquire, upload_id, timeout, on_revoke, ask=ask)
        return Hold(acquire, partial(self._release, upload_id))

    async def _acquire(
        self, upload_id: UploadId, patience: float, on_revoke: Callable[[], None], *, ask: bool
    ) -> None:
        until = asyncio.get_running_loop().time() + patience if patience > 0 else 0.0
        await self._inside.acquire(upload_id, patience, on_revoke, ask=ask)
        try:
            kernel = self._open_kernel()
            if self._others_first(upload_id) or not kernel.take(_byte(upload_id)):
                await self._wait(upload_id, kernel, until, ask=ask)
        except BaseException:
            self._inside.release(upload_id)
            raise
        self._asked_by[upload_id] = []

    async def _wait(
        self, upload_id: UploadId, kernel: ByteLocks, until: float, *, ask: bool
    ) -> None:
        """Wait for the kernel lock, in the first place of the queue of this process."""
        now = asyncio.get_running_loop().time
        free = self._free[upload_id] = asyncio.Event()
        try:
            while (left := until - now()) > 0:
                pause = self._others_first(upload_id)
                if ask and not pause:
                    self._ask(upload_id, left)
                free.clear()
                await _first_of(free, min(left, pause or _LOOK_AGAIN))
                if not self._others_first(upload_id) and kernel.take(_byte(upload_id)):
                    return
        finally:
            del self._free[upload_id]
        raise LockTimeout(upload_id)

    def _release(self, upload_id: UploadId) -> None:
        asked_by = self._asked_by.pop(upload_id, None)
        if asked_by is not None and self._kernel is not None:
            self._kernel.give(_byte(upload_id))
        # Otherwise it was closed meanwhile, and all locks with it.
        if asked_by:
            loop = asyncio.get_running_loop()
            self._give_way[upload_id] = loop.time() + _GIVE_WAY
            loop.call_later(_GIVE_WAY, self._give_way.pop, upload_id, None)
            for name in {*asked_by}:
                self._send(partial(_tell_free, name=name, upload_id=upload_id))
        self._inside.release(upload_id)

    def _others_first(self, upload_id: UploadId) -> float:
        """How many seconds the other processes are still let in first."""
        until = self._give_way.get(upload_id)
        return 0.0 if until is None else max(0.0, until - asyncio.get_running_loop().time())

    def _ask(self, upload_id: UploadId, seconds: float) -> None:
        """Ask whoever holds the lease to leave, unless they hear of it only after ``seconds``."""
        until = asyncio.get_running_loop().time() + seconds
        self._send(lambda box: box.send_all(f"want {upload_id} {until} {box.name}"))

    def _send(self, send: Callable[[Mailbox], None]) -> None:
        if self._mailbox is not None and self._loop is not None:
            sending = self._loop.run_in_executor(None, send, self._mailbox)
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)

    def _read(self) -> None:
        for message in self._mailbox.read() if self._mailbox is not None else ():
            match message.split():
                case ["want", upload_id, until, name]:
                    self._wanted(UploadId(upload_id), until, name)
                case ["free", upload_id] if UploadId(upload_id) in self._free:
                    self._free[UploadId(upload_id)].set()

    def _wanted(self, upload_id: UploadId, until: str, name: str) -> None:
        # This process may have been stopped since it was asked. The clock of event loops is the
        # same in all processes of a machine.
        timely = float(until) > asyncio.get_running_loop().time()
        if timely and upload_id in self._asked_by:
            self._asked_by[upload_id].append(name)
            self._inside.revoke(upload_id)

    def _open(self) -> tuple[ByteLocks, Mailbox]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            kernel = ByteLocks(self._folder / "uploads.lock")
            try:
                return kernel, Mailbox(self._folder)
            except OSError:
                kernel.close()
                raise
        except OSError as error:
            raise StorageError(f"The folder {self._folder} cannot hold locks.") from error

    def _open_kernel(self) -> ByteLocks:
        if self._kernel is None:
            raise RuntimeError("The locks are not started.")
        return self._kernel


def _byte(upload_id: UploadId) -> int:
    # So many that no two uploads ever share one; the first ones are for other things.
    return int.from_bytes(hashlib.sha256(upload_id.encode()).digest()[:7]) + 16


async def _first_of(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _tell_free(mailbox: Mailbox, *, name: str, upload_id: UploadId) -> None:
    mailbox.send(name, f"free {upload_id}")


def _close(kernel: ByteLocks, mailbox: Mailbox) -> None:
    kernel.close()
    mailbox.close()
