"""The SQLite schema, as numbered migrations.

A migration that was released is never changed; the next one is added below it. The number of the
last one that ran is the database's ``user_version``.
"""

import sqlite3

from tusd_py.errors import SchemaTooNew

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE uploads (
            id          TEXT PRIMARY KEY,
            kind        TEXT NOT NULL CHECK (kind IN ('plain', 'partial', 'final')),
            length      INTEGER,
            offset      INTEGER NOT NULL,
            max_length  INTEGER,
            metadata    TEXT NOT NULL,
            concat      TEXT,
            parts       TEXT NOT NULL,
            subject     TEXT,
            created_at  REAL NOT NULL,
            lifetime    REAL,
            expires_at  REAL,
            finished_at REAL,
            path        TEXT UNIQUE,
            run         TEXT NOT NULL,
            verifying   INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE INDEX uploads_that_expire ON uploads (expires_at)
        WHERE expires_at IS NOT NULL AND (finished_at IS NULL OR kind = 'partial')
        """,
        "CREATE INDEX uploads_of_subject ON uploads (subject, id) WHERE subject IS NOT NULL",
        # One final upload for the same request, however often the client repeats it.
        """
        CREATE UNIQUE INDEX finals_by_request ON uploads (parts, metadata, ifnull(subject, ''))
        WHERE kind = 'final'
        """,
        """
        CREATE INDEX finals_unfinished ON uploads (id)
        WHERE kind = 'final' AND finished_at IS NULL
        """,
        """
        CREATE TABLE events (
            number    INTEGER PRIMARY KEY,
            id        TEXT NOT NULL UNIQUE,
            upload_id TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX events_of_upload ON events (upload_id)",
    ),
    ("CREATE INDEX uploads_unfinished ON uploads (id) WHERE finished_at IS NULL",),
    (
        "ALTER TABLE uploads ADD COLUMN fresh INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE uploads ADD COLUMN key_id TEXT",
        # What was made with a grant: its parts in one row, and all else in another.
        """
        CREATE TABLE grants (
            id         TEXT NOT NULL,
            part       INTEGER NOT NULL,
            uses       INTEGER NOT NULL,
            size       INTEGER NOT NULL,
            most       INTEGER NOT NULL,
            most_size  INTEGER NOT NULL,
            expires_at REAL NOT NULL,
            PRIMARY KEY (id, part),
            CHECK (uses <= most),
            CHECK (size <= most_size)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX grants_that_end ON grants (expires_at)",
        # The last upload that a request made with a grant.
        """
        CREATE TABLE uses (
            grant_id  TEXT NOT NULL,
            request   TEXT NOT NULL,
            upload_id TEXT NOT NULL,
            PRIMARY KEY (grant_id, request)
        ) STRICT, WITHOUT ROWID
        """,
        # Creations of subjects whose rate is limited; they count whatever becomes of the uploads.
        """
        CREATE TABLE creations (
            subject    TEXT NOT NULL,
            created_at REAL NOT NULL
        ) STRICT
        """,
        "CREATE INDEX creations_of_subject ON creations (subject, created_at)",
    ),
    (
        "ALTER TABLE events ADD COLUMN receiver TEXT NOT NULL DEFAULT 'callables'",
        "ALTER TABLE events ADD COLUMN name TEXT NOT NULL DEFAULT 'on_finish'",
        "ALTER TABLE events ADD COLUMN payload TEXT",
        "ALTER TABLE events ADD COLUMN created_at REAL NOT NULL DEFAULT 0",
        "ALTER TABLE events ADD COLUMN due_at REAL NOT NULL DEFAULT 0",
        "ALTER TABLE events ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE events ADD COLUMN error TEXT",
        "ALTER TABLE events ADD COLUMN dead INTEGER NOT NULL DEFAULT 0",
        # However many are dead, those to be told are found at once.
        "CREATE INDEX events_to_tell ON events (number) WHERE dead = 0",
        "DROP INDEX events_of_upload",
        "CREATE INDEX events_of_upload ON events (upload_id, receiver, number)",
    ),
    (
        """
        CREATE TABLE clients (
            key           TEXT PRIMARY KEY,
            first_seen    REAL NOT NULL,
            last_seen     REAL NOT NULL,
            transfers     INTEGER NOT NULL,
            downloads     INTEGER NOT NULL,
            reliability   REAL,
            rate          REAL,
            rate_slope    REAL,
            latency       REAL,
            latency_slope REAL,
            download_rate REAL,
            jitter        REAL,
            loss          REAL,
            interfaces    TEXT NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX clients_by_time ON clients (last_seen)",
    ),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date, all of it or nothing.

    Raises:
        SchemaTooNew: The database has migrations that this program does not know.
    """
    if version(connection) == len(MIGRATIONS):
        # Who only reads does not wait for those who write.
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in MIGRATIONS[version(connection) :]:
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        # On a full disk there is none any more.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def version(connection: sqlite3.Connection) -> int:
    """How many migrations a database has.

    Raises:
        SchemaTooNew: More than this program knows.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > len(MIGRATIONS):
        raise SchemaTooNew(found=found, known=len(MIGRATIONS))
    return int(found)
