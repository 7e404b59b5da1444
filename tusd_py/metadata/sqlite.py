"""Metadata in one SQLite file."""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from tusd_py.errors import MetadataError, UploadExists, UploadNotFound
from tusd_py.folders import make_folder
from tusd_py.protocol.upload import Upload, UploadId

from . import outbox
from .base import Backlog, Event, Quota, Receiver, Use
from .commits import SharedCommits
from .connection import Connection
from .profiles import SQLiteClients
from .quotas import add_creation, check_quota, forget_creations
from .rows import COLUMNS, from_upload, to_upload
from .schema import migrate
from .uses import add_uses, check_use, forget_uses, take_back

_TAKEN = (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE)
_PLACES = f"({', '.join('?' * len(COLUMNS.split(',')))})"
_INSERT = f"INSERT INTO uploads ({COLUMNS}) VALUES "  # noqa: S608 - constants only
_SELECT = f"SELECT {COLUMNS} FROM uploads "  # noqa: S608 - constants only
_UPDATE = """
    UPDATE uploads
    SET length = ?, offset = ?, expires_at = ?, finished_at = ?, run = ?, verifying = ?,
        fresh = min(fresh, ?)
    WHERE id = ?
"""

# Rows of one statement; SQLite keeps the statements of all sizes up to this prepared.
_ROWS = 32


class _Creation(NamedTuple):
    upload: Upload
    events: Sequence[Event]
    use: Use | None
    quota: Quota | None


_Change = Callable[[sqlite3.Connection], None]


class SQLiteMetadata:
    """Keeps uploads in an SQLite database in WAL mode, one connection to write and one to read.

    Args:
        path: The database, created with its folder at the start.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.clients = SQLiteClients(self.path)
        self._writer: Connection | None = None
        self._reader: Connection | None = None
        self._shared: SharedCommits[_Creation | _Change] | None = None

    @property
    def commits(self) -> int:
        """How many transactions were committed since the start."""
        return self._open_shared().commits

    async def start(self, *, durable: bool) -> None:
        # Connections of an event loop that ended without closing them.
        for left in (self._writer, self._reader):
            if left is not None:
                await left.abandon()
        await asyncio.to_thread(_make_folder, self.path.parent, durable=durable)
        self._writer = await Connection.open(self.path, durable=durable)
        await self._writer.run(migrate)
        self._reader = await Connection.open(self.path, durable=durable)
        self._shared = SharedCommits(self._writer, _do_all)
        await self.clients.start()

    async def close(self) -> None:
        if self._shared is not None:
            await self._shared.idle()
        await self.clients.close()
        for connection in (self._reader, self._writer):
            if connection is not None:
                await connection.close()
        self._shared = self._reader = self._writer = None

    async def create(
        self,
        upload: Upload,
        *,
        events: Sequence[Event] = (),
        use: Use | None = None,
        quota: Quota | None = None,
    ) -> None:
        await self._open_shared().run(_Creation(upload, events, use, quota))

    async def get(self, upload_id: UploadId) -> Upload:
        found = await self._select("WHERE id = ?", upload_id)
        if not found:
            raise UploadNotFound(upload_id)
        return found[0]

    async def record(self, upload: Upload, *, events: Sequence[Event] = ()) -> None:
        await self._open_shared().run(_recording(upload, events))

    async def touch(self, upload_id: UploadId) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE uploads SET fresh = 0 WHERE id = ?", (upload_id,))

        await self._open_shared().run(work)

    async def delete(
        self, upload_id: UploadId, *, events: Sequence[Event] = (), use: Use | None = None
    ) -> None:
        def work(connection: sqlite3.Connection) -> None:
            outbox.forget_callables(connection, upload_id)
            removed = connection.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
            if removed.rowcount != 1:
                return
            if use is not None:
                take_back(connection, use, upload_id)
            outbox.add_events(connection, events)

        await self._open_shared().run(work)

    async def check_use(self, use: Use) -> None:
        await self._open(self._reader).run(check_use, use)

    async def check_quota(self, subject: str, quota: Quota) -> None:
        await self._open(self._reader).run(check_quota, subject, quota)

    async def forget_uses(self, now: float) -> None:
        def work(connection: sqlite3.Connection) -> None:
            forget_uses(connection, now)
            forget_creations(connection, now)

        await self._open_shared().run(work)

    async def page(
        self, *, subject: str | None = None, after: UploadId | None = None, limit: int = 100
    ) -> Sequence[Upload]:
        if subject is None:
            return await self._select("WHERE id > ? ORDER BY id LIMIT ?", after or "", limit)
        return await self._select(
            "WHERE subject = ? AND id > ? ORDER BY id LIMIT ?", subject, after or "", limit
        )

    async def at_path(self, path: str) -> Upload | None:
        found = await self._select("WHERE path = ?", path)
        return found[0] if found else None

    async def unfinished(
        self, *, after: UploadId | None = None, limit: int = 100
    ) -> Sequence[Upload]:
        return await self._select(
            "WHERE finished_at IS NULL AND id > ? ORDER BY id LIMIT ?", after or "", limit
        )

    async def expired(self, now: float, limit: int) -> Sequence[Upload]:
        return await self._select(
            "WHERE expires_at <= ? AND (finished_at IS NULL OR kind = 'partial') "
            "ORDER BY expires_at LIMIT ?",
            now,
            limit,
        )

    async def finals_of(self, part: UploadId) -> Sequence[Upload]:
        return await self._select(
            "WHERE kind = 'final' AND finished_at IS NULL "
            "AND instr(' ' || parts || ' ', ' ' || ? || ' ') > 0 ORDER BY id",
            part,
        )

    async def same_final(self, upload: Upload) -> Upload | None:
        found = await self._select(
            "WHERE kind = 'final' AND parts = ? AND metadata = ? AND ifnull(subject, '') = ?",
            " ".join(upload.parts),
            upload.metadata,
            upload.subject or "",
        )
        return found[0] if found else None

    async def events(
        self, limit: int, *, after: int = 0, dead: bool | None = None
    ) -> Sequence[Event]:
        return await self._open(self._reader).run(outbox.list_events, limit, after, dead=dead)

    async def due(self, now: float, limit: int, receivers: Collection[Receiver]) -> Sequence[Event]:
        return await self._open(self._reader).run(outbox.due_events, now, limit, receivers)

    async def tell(self, events: Sequence[Event]) -> None:
        await self._open_shared().run(lambda connection: outbox.add_events(connection, events))

    async def change_event(self, event: Event) -> None:
        await self._open_shared().run(lambda connection: outbox.change_event(connection, event))

    async def settle(self, event_id: str) -> None:
        await self._open_shared().run(lambda connection: outbox.settle(connection, event_id))

    async def backlog(self) -> Backlog:
        return await self._open(self._reader).run(outbox.count_events)

    async def _select(self, where: str, *parameters: object) -> list[Upload]:
        def work(connection: sqlite3.Connection) -> list[Upload]:
            return [to_upload(row) for row in connection.execute(_SELECT + where, parameters)]

        return await self._open(self._reader).run(work)

    def _open(self, connection: Connection | None) -> Connection:
        if connection is None:
            raise MetadataError("The metadata store is not open.")
        return connection

    def _open_shared(self) -> SharedCommits[_Creation | _Change]:
        if self._shared is None:
            raise MetadataError("The metadata store is not open.")
        return self._shared


def _make_folder(folder: Path, *, durable: bool) -> None:
    try:
        make_folder(str(folder.absolute()), durable=durable)
    except OSError as error:
        raise MetadataError from error


def _do_all(connection: sqlite3.Connection, works: Sequence[_Creation | _Change]) -> None:
    """Do work, all creations first and in one statement.

    At each statement the threads of the process hand the interpreter to each other, which costs
    more than the statement.
    """
    creations = [work for work in works if isinstance(work, _Creation)]
    for start in range(0, len(creations), _ROWS):
        _create_all(connection, creations[start : start + _ROWS])
    for work in works:
        if not isinstance(work, _Creation):
            work(connection)


def _create_all(connection: sqlite3.Connection, creations: Sequence[_Creation]) -> None:
    insert = _INSERT + ", ".join([_PLACES] * len(creations))
    values = [value for creation in creations for value in from_upload(creation.upload)]
    try:
        connection.execute(insert, values)
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode not in _TAKEN:
            raise
        # Right for one, and where there are more each is tried alone.
        raise UploadExists(creations[0].upload.id) from error
    uses = [(made.use, made.upload.id) for made in creations if made.use is not None]
    if uses:
        add_uses(connection, uses)
    for creation in creations:
        if creation.quota is not None:
            add_creation(connection, creation.upload, creation.quota)
            check_quota(connection, creation.upload.subject or "", creation.quota)
        outbox.add_events(connection, creation.events)


def _recording(upload: Upload, events: Sequence[Event]) -> _Change:
    def work(connection: sqlite3.Connection) -> None:
        updated = connection.execute(
            _UPDATE,
            (
                upload.length,
                upload.offset,
                upload.expires_at,
                upload.finished_at,
                upload.run,
                int(upload.verifying),
                int(upload.fresh),
                upload.id,
            ),
        )
        if updated.rowcount != 1:
            raise UploadNotFound(upload.id)
        outbox.add_events(connection, events)

    return work
