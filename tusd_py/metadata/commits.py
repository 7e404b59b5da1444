"""Transactions that share commits."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from .connection import Connection, translated

W = TypeVar("W")
DoAll = Callable[[sqlite3.Connection, Sequence[W]], None]


class SharedCommits(Generic[W]):
    """Runs units of work so that those that come together share a transaction.

    One that fails fails alone: the others are then done again, each in a savepoint of its own.
    So work does nothing but what a rollback undoes.

    Args:
        connection: The one that writes.
        do_all: Does several units of work.
    """

    def __init__(self, connection: Connection, do_all: DoAll[W]) -> None:
        self._connection = connection
        self._do_all = do_all
        self._waiting: list[tuple[W, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self.commits = 0

    async def run(self, work: W) -> None:
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

    async def _commit(self, batch: Sequence[tuple[W, asyncio.Future[None]]]) -> None:
        try:
            failures = await self._connection.run(
                _transaction, self._do_all, [work for work, _ in batch]
            )
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


def _transaction(
    connection: sqlite3.Connection, do_all: DoAll[W], works: Sequence[W]
) -> list[Exception | None]:
    try:
        with _committed(connection):
            _at_once(connection, do_all, works)
    except _WorkFailedError:
        # Rare enough to try without savepoints first.
        return _each_on_its_own(connection, do_all, works)
    return [None] * len(works)


def _at_once(connection: sqlite3.Connection, do_all: DoAll[W], works: Sequence[W]) -> None:
    try:
        do_all(connection, works)
    except Exception as error:
        raise _WorkFailedError from error


def _each_on_its_own(
    connection: sqlite3.Connection, do_all: DoAll[W], works: Sequence[W]
) -> list[Exception | None]:
    failures: list[Exception | None] = []
    with _committed(connection):
        for work in works:
            connection.execute("SAVEPOINT one")
            failure = _attempt(connection, do_all, work)
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


def _attempt(connection: sqlite3.Connection, do_all: DoAll[W], work: W) -> Exception | None:
    try:
        with translated():
            do_all(connection, [work])
    except Exception as error:
        return error
    return None
