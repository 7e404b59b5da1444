"""Which uploads need a key, asked beside a server that may be running. Everything here blocks."""

import sqlite3
from contextlib import closing
from pathlib import Path

from .connection import translated
from .schema import version

# The migration that brought the column.
_SINCE = 3


def uploads_that_need(database: Path, key_id: str, now: float) -> int:
    """Count the uploads whose URLs a key signed and are still needed, so have not expired.

    These are unfinished ones, and partial ones: the final upload is made of their URLs.

    Raises:
        SchemaTooNew: A newer version of the program wrote the database.
        MetadataError: The database cannot be read.
    """
    uri = f"{database.absolute().as_uri()}?mode=ro"
    with translated(), closing(sqlite3.connect(uri, uri=True)) as connection:
        if version(connection) < _SINCE:
            return 0
        (count,) = connection.execute(
            "SELECT count(*) FROM uploads WHERE key_id = ? "
            "AND (finished_at IS NULL OR kind = 'partial') "
            "AND (expires_at IS NULL OR expires_at > ?)",
            (key_id, now),
        ).fetchone()
    return int(count)
