"""Storage in folders of one file system."""

import math
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from tusd_py.errors import StorageDamaged, StorageError
from tusd_py.folders import Folders, make_folder
from tusd_py.protocol.upload import Upload, UploadId
from tusd_py.threads import WorkerThreads

from . import disk, ownership
from .abandoned import Abandoned
from .base import Recorded
from .file_writer import FileWriter, Threads
from .journal import Journal
from .layout import Layout, by_date, checked
from .stored_file import StoredFile

_THREADS = 4
_COMPOSING_THREADS = 2
# What is read at once for a client, who may be slow to take it, or never do.
_PIECE = 128 * 1024
# One step of composing: long enough to be cheap, short enough for others to get their turn.
_STEP = 64 * 1024 * 1024
_FREE_IS_VALID = 1.0
# One step of a listing.
_LISTED = 256


class FileStorage:
    """Keeps unfinished uploads under ``root/uploads`` and finished ones under ``root/files``.

    Args:
        root: The folder, created at the start. Both parts must be on one file system.
        layout: Chooses the path of a finished file below ``root/files``.
    """

    def __init__(self, root: Path | str, *, layout: Layout = by_date) -> None:
        self.root = Path(root).absolute()
        self.uploads = self.root / "uploads"
        self.files = self.root / "files"
        self._processes = self.root / "processes"
        self._bases = (self.uploads, self.files, self._processes)
        self._leaves = [
            str(self.uploads / f"{leaf >> 4:x}" / f"{leaf & 15:x}") for leaf in range(256)
        ]
        self._layout = layout
        self._folders = self._made_folders(durable=True)
        self._threads = WorkerThreads(_THREADS, "tusd-py-disk")
        # Of their own, so that who reads does not wait for those whose files are being synced.
        self._reading = WorkerThreads(_THREADS, "tusd-py-read")
        self._quick = WorkerThreads(1, "tusd-py-quick", roam=False)
        self._journal = self._made_journal()
        self._composing = WorkerThreads(_COMPOSING_THREADS, "tusd-py-compose")
        self._free: tuple[float, int] | None = None

    async def start(self, *, durable: bool) -> None:
        self._folders = self._made_folders(durable=durable)
        self._journal = self._made_journal()
        await self._threads.run(self._prepare)

    async def close(self) -> None:
        # Idle threads end with the interpreter.
        await self._threads.run(self._journal.close)

    def place(self, upload: Upload) -> str:
        return checked(upload.path if upload.path is not None else self._layout(upload))

    def writer(self, upload: Upload) -> FileWriter:
        path, published, journal = self._working(upload), self._published(upload), None
        if published is not None and upload.finished:
            path, published = published, None
        elif published is not None and not upload.run:
            path, journal = self._journal.path(upload.id), self._journal
        threads = Threads(self._threads, self._quick)
        return FileWriter(upload, path, published, journal, threads, self._folders)

    async def size(self, upload: Upload) -> int:
        return await self._threads.run(self._size, upload)

    async def read(
        self,
        upload: Upload,
        start: int = 0,
        count: int | None = None,
        most: Callable[[], int] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        file = await self.open(upload)
        if file is None:
            return
        left = math.inf if count is None else count
        try:
            if start:
                await self._reading.run(os.lseek, file.fileno(), start, os.SEEK_SET)
            while left:
                size = int(min(left, most() if most is not None else _PIECE))
                piece = await self._reading.run(os.read, file.fileno(), size)
                if not piece:
                    return
                left -= len(piece)
                yield piece
        finally:
            await file.close()

    async def open(self, upload: Upload) -> StoredFile | None:
        file = StoredFile(self._reading)
        try:
            return file if await self._reading.run(file.open, self._open, upload) else None
        except BaseException:
            # Cancelled, it may have been opened all the same.
            await file.close()
            raise

    def location(self, upload: Upload) -> Mapping[str, str]:
        published = self._published(upload) if upload.finished else None
        return {"Type": "filestore", "Path": published or self._working(upload)}

    async def delete(self, upload: Upload) -> None:
        await self._threads.run(self._delete, upload)

    async def free(self) -> int | None:
        now = time.monotonic()
        if self._free is None or now - self._free[0] > _FREE_IS_VALID:
            usage = await self._threads.run(shutil.disk_usage, self.root)
            self._free = (now, usage.free)
        return self._free[1]

    async def probe(self) -> None:
        await self._threads.run(self._probe)

    async def working(self) -> AsyncGenerator[Sequence[UploadId], None]:
        async for entries in self._listed(self.uploads):
            yield [UploadId(entry.name) for entry in entries]

    async def published(self) -> AsyncGenerator[Sequence[str], None]:
        above = len(f"{self.files}/")
        async for entries in self._listed(self.files):
            yield [entry.path[above:].replace(os.sep, "/") for entry in entries]

    async def reclaim(self, recorded: Recorded) -> int:
        removed = 0
        for folder in await self._threads.run(_folders_in, self._processes):
            removed += await self._reclaim(folder, recorded)
        return removed

    async def _reclaim(self, folder: str, recorded: Recorded) -> int:
        lock = await self._threads.run(ownership.inherit, folder)
        if lock is None:
            return 0
        try:
            left = await self._threads.run(Abandoned, folder, str(self.files), self._folders)
            return await self._threads.run(left.remove, await recorded(left.published))
        finally:
            await self._threads.run(os.close, lock)

    async def compose(self, target: Upload, parts: Sequence[Upload]) -> int:
        # A process that died while composing leaves something behind.
        await self.delete(target)
        writer = self.writer(target._replace(offset=0))
        try:
            for part in parts:
                await self._copy(writer, part)
            await writer.sync()
        finally:
            await writer.close()
        return writer.offset

    async def _copy(self, writer: FileWriter, part: Upload) -> None:
        source = await self.open(part)
        if source is None:
            return
        try:
            while await self._composing.run(writer.copy, source.fileno(), _STEP):
                pass
        finally:
            await source.close()

    def _made_folders(self, *, durable: bool) -> Folders:
        return Folders(*map(str, self._bases), durable=durable)

    def _made_journal(self) -> Journal:
        parent, files = str(self._processes), str(self.files)
        return Journal(parent, files, self._folders, self._threads)

    async def _listed(self, folder: Path) -> AsyncGenerator[Sequence[os.DirEntry[str]], None]:
        entries = disk.walk(str(folder))
        while batch := await self._composing.run(_some, entries):
            yield batch

    def _working(self, upload: Upload) -> str:
        return self._working_path(upload.id)

    def _working_path(self, upload_id: UploadId) -> str:
        # Ids can come from the application, so a hash spreads them; names stay readable.
        leaf = self._leaves[zlib.crc32(upload_id.encode()) & 255]
        return f"{leaf}/{upload_id}"

    def _published(self, upload: Upload) -> str | None:
        return None if upload.path is None else f"{self.files}/{upload.path}"

    def _place(self, upload: Upload) -> str:
        """Where the bytes are.

        An unfinished upload that is whole can have its final name already, if the process died
        before the end was recorded. Anything else with that name is another's.
        """
        working, published = self._working(upload), self._published(upload)
        if published is None or (not upload.finished and os.path.exists(working)):
            return working
        if upload.finished or _half_published(upload, published):
            return published
        return working

    def _prepare(self) -> None:
        for folder in self._bases:
            make_folder(str(folder), durable=self._folders.durable)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise StorageError(f"The folder {folder} cannot be written.")
        if len({folder.stat().st_dev for folder in self._bases}) > 1:
            raise StorageError(f"The folders in {self.root} must be on one file system.")

    def _probe(self) -> None:
        self._folders.check()
        # Not among the uploads, where it could be taken for one.
        with tempfile.TemporaryFile(dir=self._processes) as file:
            file.write(b"?")

    def _size(self, upload: Upload) -> int:
        try:
            return os.path.getsize(self._place(upload))
        except FileNotFoundError:
            self._folders.check()
            return 0

    def _open(self, upload: Upload) -> tuple[int, str] | None:
        """Open the bytes to read, and say where; None if there is no file and need be none."""
        path = self._place(upload)
        try:
            fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            if upload.offset:
                raise
            return None
        size = os.fstat(fd).st_size
        if size < upload.offset:
            os.close(fd)
            raise StorageDamaged(upload.id, recorded=upload.offset, stored=size)
        return fd, path

    def _delete(self, upload: Upload) -> None:
        if not upload.run:
            self._journal.remove(upload.id)
        place, published = self._place(upload), self._published(upload)
        # Between the two steps of publishing, the file has both names.
        if published is not None and _same(place, published):
            disk.remove(published)
        disk.remove(place)
        self._folders.check()


def _half_published(upload: Upload, published: str) -> bool:
    surely_new = upload.id in os.path.basename(published)
    if not surely_new and not upload.offset and upload.length != 0:
        return False
    return os.path.isfile(published) and os.path.getsize(published) == upload.length


def _some(entries: Iterator[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
    return list(islice(entries, _LISTED))


def _folders_in(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except FileNotFoundError:
        return False
