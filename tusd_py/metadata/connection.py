"""An SQLite connection in a thread of its own."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import aiosqlite

from tusd_py.errors import MetadataError, MetadataUnavailable, StorageFull

P = ParamSpec("P")
T = TypeVar("T")

_BUSY_SECONDS = 5.0
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
# Values that it cannot store, such as a lone surrogate, are errors of other kinds than its own.
_FROM_SQLITE = (sqlite3.Error, OverflowError, UnicodeError)


@contextmanager
def translated() -> Iterator[None]:
    """Turn SQLite's errors into ours; the cause is kept for the log."""
    try:
        yield
    except _FROM_SQLITE as error:
        # The low byte of an extended code is the plain one.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _BUSY:
            raise MetadataUnavailable from error
        if code == sqlite3.SQLITE_FULL:
            raise StorageFull from error
        raise MetadataError from error


class Connection:
    """One aiosqlite connection, visited once per unit of work and not once per statement."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._file: tuple[int, int] | None = None

    @classmethod
    async def open(cls, path: Path, *, durable: bool) -> "Connection":
        """Open a database in WAL mode."""
        connection = aiosqlite.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        # aiosqlite offers no other way to keep its thread from holding up the interpreter's exit.
        connection._thread.daemon = True  # noqa: SLF001
        with translated():
            await connection
        opened = cls(connection, path)
        try:
            await opened.run(_configure, durable)
            opened._file = await opened.run(lambda _: _file_at(path))
        except BaseException:
            await opened.abandon()
            raise
        return opened

    async def run(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function with the sqlite3 connection, in the connection's thread.

        Raises:
            MetadataUnavailable: Another process holds the database for too long, or its file is
                not where it was.
            MetadataError: SQLite failed.
        """
        # Every method of aiosqlite goes through _execute; using it directly saves a hop between
        # threads for each statement of a transaction.
        inner: Any = self._connection
        with translated():
            visit = self._visit, work, inner._conn  # noqa: SLF001
            result: T = await inner._execute(*visit, *args, **kwargs)  # noqa: SLF001
        return result

    def _visit(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        connection: sqlite3.Connection,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        if self._file is not None and _file_at(self._path) != self._file:
            # SQLite would go on in a file that nobody finds again.
            raise MetadataUnavailable from FileNotFoundError(f"{self._path} was moved or removed")
        return work(connection, *args, **kwargs)

    async def close(self) -> None:
        """Finish what is under way and close."""
        with translated():
            await self._connection.close()

    async def abandon(self) -> None:
        """Close without waiting; the event loop that opened it may be gone."""
        stopped = self._connection.stop()
        if stopped is not None:
            await stopped


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _configure(connection: sqlite3.Connection, durable: bool) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
