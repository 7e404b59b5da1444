"""Writing one upload's file."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from tusd_py.errors import StorageDamaged
from tusd_py.folders import Folders
from tusd_py.protocol.upload import Upload
from tusd_py.streaming.inlet import Inlet
from tusd_py.threads import WorkerThreads

from . import disk
from .journal import Journal
from .pouring import pour

# Bytes from which on it pays to wake the disk up.
_WRITEBACK = 8 * 1024 * 1024


class Threads(NamedTuple):
    """Where files are written: what may take its time, and small ones that need no syncing."""

    disk: WorkerThreads
    quick: WorkerThreads


class FileWriter:
    """The file of an upload, opened by the first call that needs it.

    Every asynchronous method is one visit to a worker thread.

    Args:
        upload: What is written, at its offset.
        path: The file while the upload is unfinished.
        published: The file once it is finished; None if it stays.
        journal: Keeps track of an upload that is not recorded; None for any other.
        threads: Where the work is done.
        folders: Makes folders, and tells whether syncing is for the loss of power too.
    """

    def __init__(
        self,
        upload: Upload,
        path: str,
        published: str | None,
        journal: Journal | None,
        threads: Threads,
        folders: Folders,
    ) -> None:
        self.offset = upload.offset
        self._upload = upload
        self._path = path
        self._published = published
        self._journal = journal
        self._threads = threads.disk
        self._quick = threads.quick
        self._folders = folders
        self._fd: int | None = None
        # What has an offset got a durable name with it; the journal's names need not last.
        self._named = upload.offset > 0 or journal is not None
        self._handed_on = upload.offset
        self._ended = False
        self._synced = False

    async def write(self, batch: Sequence[bytes]) -> None:
        await self._threads.run(self._write, batch)

    def take(self, inlet: Inlet, size: int) -> None:
        self._synced = False
        fd = self._open()
        # What is written behind a gap would hide it.
        self._check_whole(os.fstat(fd).st_size)
        for written in pour(inlet, fd, self.offset, size):
            self.offset += written
        self._hand_on()

    def settle(self) -> None:
        """Nothing was only begun."""

    def read_back(self, offset: int, size: int) -> bytes:
        if data := os.pread(self._open(), size, offset):
            return data
        raise StorageDamaged(self._upload.id, recorded=self.offset, stored=offset)

    def _check_whole(self, size: int) -> None:
        if size < self.offset:
            raise StorageDamaged(self._upload.id, recorded=self.offset, stored=size)

    async def truncate(self, offset: int) -> None:
        await self._threads.run(self._truncate, offset)

    async def sync(self) -> None:
        if self._folders.durable and not self._synced:
            await self._threads.run(self._sync)

    async def publish(self, last: Sequence[bytes] = ()) -> None:
        if self._journal is not None and self._upload.path is not None:
            self._journal.announce(self._upload.id, self._upload.path)
        # Syncing is not quick, and several threads can do it at once.
        run = self._threads.run if self._folders.durable else self._quick.run_together
        await run(self._publish, last)

    def recorded(self) -> None:
        if self._journal is not None:
            self._journal.settle(self._upload.id)

    async def close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            await self._threads.run(_close, fd)

    def copy(self, source: int, size: int) -> bool:
        """Append up to ``size`` bytes of an open file; False at its end. Blocks.

        ``source`` is read at its file position.
        """
        copied = disk.copy_some(source, self._open(), offset=self.offset, size=size)
        self.offset += copied
        self._hand_on()
        return copied > 0

    def _open(self) -> int:
        if self._fd is None:
            if self._journal is None:
                self._fd = self._open_recorded()
            else:
                self._fd = self._open_new(self._journal)
        return self._fd

    def _open_new(self, journal: Journal) -> int:
        journal.write()
        try:
            return disk.open_new(self._path)
        except FileNotFoundError:
            journal.renew()
            return disk.open_new(self._path)

    def _open_recorded(self) -> int:
        self._take_back()
        empty = self._upload.offset == 0
        fd, size = disk.open_to_write(self._path, self._folders, empty=empty)
        try:
            self._cut(fd, size)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _take_back(self) -> None:
        """Undo a publication whose end was not recorded, because the process died in between.

        An upload that has no bytes yet takes nothing back: what has its name is another's.
        """
        if not self._upload.offset and self._upload.length != 0:
            return
        published = self._published
        if published is None or os.path.exists(self._path) or not os.path.isfile(published):
            return
        if os.path.getsize(published) == self._upload.length:
            self._folders.make(os.path.dirname(self._path))
            os.rename(published, self._path)
            self._named = False

    def _cut(self, fd: int, size: int) -> None:
        self._check_whole(size)
        if size > self.offset:
            os.ftruncate(fd, self.offset)

    def _write(self, batch: Sequence[bytes]) -> None:
        self._synced = False
        for written in disk.write_at(self._open(), batch, self.offset):
            self.offset += written
        self._hand_on()

    def _hand_on(self) -> None:
        """Have the kernel write while more comes, so that little is left for the sync."""
        size = self.offset - self._handed_on
        if self._folders.durable and size >= _WRITEBACK:
            disk.begin_writeback(self._open(), self._handed_on, size)
            self._handed_on = self.offset

    def _truncate(self, offset: int) -> None:
        self._synced = False
        os.ftruncate(self._open(), offset)
        self.offset = offset
        self._handed_on = min(self._handed_on, offset)
        # The bytes that stay may be what a process left that died before it synced the name.
        self._named = False

    def _sync(self) -> None:
        os.fsync(self._open())
        if not self._named:
            self._folders.sync(os.path.dirname(self._path))
            self._named = True
        self._synced = True

    def _publish(self, last: Sequence[bytes]) -> None:
        if self._ended:
            return
        fd = self._open()
        if last:
            self._write(last)
        if self._folders.durable and not self._synced:
            self._sync()
        if self._published is not None:
            self._name(self._published)
        self._ended = True
        self._fd = None
        _close(fd)

    def _name(self, published: str) -> None:
        if self._journal is None:
            disk.move(self._path, published, self._folders)
        else:
            self._journal.write()
            disk.rename(self._path, published, self._folders)


def _close(fd: int) -> None:
    # An error of close() tells nothing that a sync did not tell before.
    try:
        os.close(fd)
    except OSError:
        return
