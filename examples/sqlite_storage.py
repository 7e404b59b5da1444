"""A storage of one's own: uploads in an SQLite database, and nothing beside it."""

import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

import anyio.to_thread

from tusd_py import Upload, UploadId, by_id
from tusd_py.errors import StorageDamaged, StorageError
from tusd_py.storage import Recorded, checked

SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    upload TEXT, start INTEGER, data BLOB, PRIMARY KEY (upload, start)
);
CREATE TABLE IF NOT EXISTS places (path TEXT PRIMARY KEY, upload TEXT, recorded INTEGER);
"""
PIECE = 64 * 1024
LISTED = 256


class SQLiteStorage:
    """Keeps each batch of bytes as a row.

    Each statement is a transaction of its own, so that uploads know nothing of each other.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._left: list[str] = []

    async def start(self, *, durable: bool) -> None:
        try:
            self._database = await anyio.to_thread.run_sync(self._connect, durable)
        except sqlite3.Error as error:
            raise StorageError from error
        # Published by an earlier process, which did not come to say that they were recorded.
        rows = await self.run("SELECT path FROM places WHERE NOT recorded")
        self._left = [path for (path,) in rows]

    async def close(self) -> None:
        await anyio.to_thread.run_sync(self._database.close)

    def place(self, upload: Upload) -> str:
        return checked(by_id(upload) if upload.path is None else upload.path)

    def writer(self, upload: Upload) -> "SQLiteWriter":
        return SQLiteWriter(self, upload)

    async def size(self, upload: Upload) -> int:
        select = "SELECT coalesce(max(start + length(data)), 0) FROM batches WHERE upload = ?"
        ((size,),) = await self.run(select, upload.id)
        return int(size)

    async def read(
        self,
        upload: Upload,
        start: int = 0,
        count: int | None = None,
        most: Callable[[], int] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        select = """
            SELECT substr(data, 1 + ?2 - start, min(?3, ?4)) FROM batches
            WHERE upload = ?1 AND start <= ?2 AND start + length(data) > ?2
        """
        end = await self.size(upload) if count is None else start + count
        while start < end:
            piece_size = PIECE if most is None else most()
            rows = await self.run(select, upload.id, start, end - start, piece_size)
            if not rows:
                return
            yield rows[0][0]
            start += len(rows[0][0])

    async def delete(self, upload: Upload) -> None:
        await self.run("DELETE FROM batches WHERE upload = ?", upload.id)
        await self.run("DELETE FROM places WHERE upload = ?", upload.id)

    async def working(self) -> AsyncGenerator[Sequence[UploadId], None]:
        select = """
            SELECT DISTINCT upload FROM batches
            WHERE upload > ? AND upload NOT IN (SELECT upload FROM places) ORDER BY 1 LIMIT ?
        """
        last = ""
        while rows := await self.run(select, last, LISTED):
            yield [UploadId(upload) for (upload,) in rows]
            last = rows[-1][0]

    async def published(self) -> AsyncGenerator[Sequence[str], None]:
        select = "SELECT path FROM places WHERE path > ? ORDER BY 1 LIMIT ?"
        last = ""
        while rows := await self.run(select, last, LISTED):
            yield [path for (path,) in rows]
            last = rows[-1][0]

    async def reclaim(self, recorded: Recorded) -> int:
        left, self._left = self._left, []
        kept = {*await recorded(left)} if left else set()
        gone = [path for path in left if path not in kept]
        of_path = "DELETE FROM batches WHERE upload = (SELECT upload FROM places WHERE path = ?)"
        for path in gone:
            await self.run(of_path, path)
            await self.run("DELETE FROM places WHERE path = ?", path)
        return len(gone)

    async def free(self) -> int | None:
        return None

    async def run(self, statement: str, *values: object) -> list[Any]:
        """Run a statement in a thread; what goes wrong is an error that the engine knows."""
        try:
            return await anyio.to_thread.run_sync(self._run, statement, values)
        except sqlite3.Error as error:
            raise StorageError from error

    def _run(self, statement: str, values: tuple[object, ...]) -> list[Any]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()

    def _connect(self, durable: bool) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        database.executescript(SCHEMA)
        database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        return database


class SQLiteWriter:
    """Writes one upload, whose lock is held."""

    def __init__(self, storage: SQLiteStorage, upload: Upload) -> None:
        self.offset = upload.offset
        self._storage = storage
        self._upload = upload
        self._opened = False
        self._recorded = False

    async def write(self, batch: Sequence[bytes]) -> None:
        await self._open()
        data = b"".join(batch)
        if data:
            insert = "INSERT INTO batches VALUES (?, ?, ?)"
            await self._storage.run(insert, self._upload.id, self.offset, data)
            self.offset += len(data)

    async def truncate(self, offset: int) -> None:
        self._opened = True
        await self._storage.run(
            "DELETE FROM batches WHERE upload = ? AND start >= ?", self._upload.id, offset
        )
        await self._storage.run(
            "UPDATE batches SET data = substr(data, 1, ?2 - start)"
            " WHERE upload = ?1 AND start + length(data) > ?2",
            self._upload.id,
            offset,
        )
        self.offset = offset

    async def sync(self) -> None:
        # Each batch was committed.
        await self._open()

    async def publish(self, last: Sequence[bytes] = ()) -> None:
        await self.write(last)
        if self._upload.path is None:
            return
        await self._storage.run(
            "INSERT INTO places VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            self._upload.path,
            self._upload.id,
            bool(self._upload.run),
        )
        select = "SELECT upload FROM places WHERE path = ?"
        ((owner,),) = await self._storage.run(select, self._upload.path)
        if owner != self._upload.id:
            raise StorageError

    def recorded(self) -> None:
        self._recorded = True

    async def close(self) -> None:
        if self._recorded:
            update = "UPDATE places SET recorded = 1 WHERE upload = ?"
            await self._storage.run(update, self._upload.id)

    async def _open(self) -> None:
        """Throw away what lies beyond the offset, once, and see that all before it is there."""
        if self._opened:
            return
        stored = await self._storage.size(self._upload)
        if stored < self.offset:
            raise StorageDamaged(self._upload.id, recorded=self.offset, stored=stored)
        await self.truncate(self.offset)
