"""The application's own tables."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

DATA = Path("data")
DATA.mkdir(exist_ok=True)

TABLES = """
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS files (
    -- The upload's own id is the key, so that hearing of it twice makes no second row.
    upload_id TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    path TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS files_of_user ON files (user_id);
"""


async def create_tables() -> None:
    async with connected() as database:
        await database.executescript(TABLES)


@asynccontextmanager
async def connected() -> AsyncIterator[aiosqlite.Connection]:
    """A connection for one request; what was done is committed if nothing was raised."""
    async with aiosqlite.connect(DATA / "app.db") as database:
        await database.execute("PRAGMA foreign_keys = ON")
        yield database
        await database.commit()
