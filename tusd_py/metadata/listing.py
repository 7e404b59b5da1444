"""Looking uploads up beside a server that may be running. Everything here blocks."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tusd_py.errors import MetadataError
from tusd_py.protocol.upload import Upload, UploadId

from .connection import translated
from .rows import COLUMNS, to_upload
from .schema import MIGRATIONS, version

_SELECT = f"SELECT {COLUMNS} FROM uploads WHERE "  # noqa: S608 - constants only
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which uploads are wanted; None makes no difference.

    Attributes:
        finished: Finished ones, or unfinished ones.
        subject: Those of this subject.
        expired_at: Those that have expired at this Unix time in seconds, and were not removed.
        after: Those whose id comes after this one.
        limit: At most so many.
    """

    finished: bool | None = None
    subject: str | None = None
    expired_at: float | None = None
    after: str | None = None
    limit: int | None = None


def list_uploads(database: Path, wanted: Filter) -> Iterator[list[Upload]]:
    """List uploads in the order of their ids, a page at a time.

    Between two pages nothing is held, so that a server is not held up and memory is bounded.

    Raises:
        SchemaTooNew: A newer version of the program wrote the database.
        MetadataError: The database cannot be read.
    """
    with _opened(database) as connection:
        where, values = _conditions(wanted)
        after, left = wanted.after or "", wanted.limit
        while left is None or left > 0:
            limit = _AT_ONCE if left is None else min(left, _AT_ONCE)
            query = f"{_SELECT}{where} AND id > ? ORDER BY id LIMIT ?"
            with translated():
                rows = connection.execute(query, (*values, after, limit)).fetchall()
            if rows:
                page = [to_upload(row) for row in rows]
                yield page
                after = page[-1].id
            if len(rows) < limit:
                return
            left = None if left is None else left - len(rows)


def find_upload(database: Path, upload_id: UploadId) -> Upload | None:
    """Look one upload up.

    Raises:
        SchemaTooNew: A newer version of the program wrote the database.
        MetadataError: The database cannot be read.
    """
    with _opened(database) as connection, translated():
        row = connection.execute(f"{_SELECT}id = ?", (upload_id,)).fetchone()
    return None if row is None else to_upload(row)


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    # Opened to read only, SQLite would leave its log behind where no server runs.
    uri = f"{database.absolute().as_uri()}?mode=rw"
    with translated():
        connection = sqlite3.connect(uri, uri=True)
    with closing(connection):
        with translated():
            connection.execute("PRAGMA query_only = 1")
            found = version(connection)
        if found < len(MIGRATIONS):
            # Migrating it is for a server: an older one may be running.
            why = "an older version of the program wrote it; start the server once"
            raise MetadataError from LookupError(why)
        yield connection


def _conditions(wanted: Filter) -> tuple[str, list[object]]:
    conditions, values = ["1"], list[object]()
    if wanted.finished is not None:
        conditions.append(f"finished_at IS {'NOT ' if wanted.finished else ''}NULL")
    if wanted.subject is not None:
        conditions.append("subject = ?")
        values.append(wanted.subject)
    if wanted.expired_at is not None:
        conditions.append("expires_at <= ? AND (finished_at IS NULL OR kind = 'partial')")
        values.append(wanted.expired_at)
    return " AND ".join(conditions), values
