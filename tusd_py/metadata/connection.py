"""An SQLite connection in a thread of its own, and transactions that share commits."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import aiosqlite

from tusd_py.errors import MetadataError, MetadataUnavailable, StorageFull

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[[sqlite3.Connection], None]

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


class SharedCommits:
    """Runs units of work so that those that come together share a transaction.

    One that fails fails alone: the others are then done again, each in a savepoint of its own.
    So work does nothing but what a rollback undoes.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: list[tuple[Work, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self.commits = 0

    async def run(self, work: Work) -> None:
        """Do the work and return once it is committed.

        Raises:
            MetadataError: It was not committed.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._task is None:
            self._task = asyncio.create_task(self._commit_all())
        # Once queued it will be done, so a caller that is cancelled does not take it back.
        await done

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while self._task is not None:
            await asyncio.wait((self._task,))

    async def _commit_all(self) -> None:
        try:
            # Whatever else became ready in this turn of the loop joins the first transaction.
            await asyncio.sleep(0)
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._commit(batch)
        finally:
            self._task = None

    async def _commit(self, batch: Sequence[tuple[Work, asyncio.Future[None]]]) -> None:
        try:
            failures = await self._connection.run(_transaction, [work for work, _ in batch])
        except Exception as error:
            failures = [error] * len(batch)
        else:
            self.commits += 1
        for (_, done), failure in zip(batch, failures, strict=True):
            if done.cancelled():
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)


class _WorkFailedError(Exception):
    """One of several units of work failed, and the transaction with it."""


def _transaction(connection: sqlite3.Connection, works: Sequence[Work]) -> list[Exception | None]:
    try:
        with _committed(connection):
            _do_all(connection, works)
    except _WorkFailedError:
        # Rare enough to try without savepoints first.
        return _each_on_its_own(connection, works)
    return [None] * len(works)


def _do_all(connection: sqlite3.Connection, works: Sequence[Work]) -> None:
    try:
        for work in works:
            work(connection)
    except Exception as error:
        raise _WorkFailedError from error


def _each_on_its_own(
    connection: sqlite3.Connection, works: Sequence[Work]
) -> list[Exception | None]:
    failures: list[Exception | None] = []
    with _committed(connection):
        for work in works:
            connection.execute("SAVEPOINT one")
            failure = _attempt(connection, work)
            failures.append(failure)
            if failure is not None:
                _check_alive(connection, failure)
                connection.execute("ROLLBACK TO one")
            connection.execute("RELEASE one")
    return failures


@contextmanager
def _committed(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _check_alive(connection: sqlite3.Connection, failure: Exception) -> None:
    # A full disk, for one, makes SQLite give up the whole transaction.
    if not connection.in_transaction:
        raise failure


def _attempt(connection: sqlite3.Connection, work: Work) -> Exception | None:
    try:
        with translated():
            work(connection)
    except Exception as error:
        return error
    return None
