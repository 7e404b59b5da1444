"""Profiles of clients, in an SQLite database."""

import asyncio
import json
import math
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from tusd_py.network.clients import ClientProfile, SeenInterface
from tusd_py.network.trend import Trend

from .connection import Connection

T = TypeVar("T")

_COLUMNS = (
    "key, first_seen, last_seen, transfers, downloads, reliability, rate, rate_slope, latency, "
    "latency_slope, download_rate, jitter, loss, interfaces"
)
_TRENDS = ("rate", "latency")
_PLACES = ", ".join("?" * len(_COLUMNS.split(",")))
# SQLite takes any bytes for text, and its module raises for all rows where those are none.
_READ = _COLUMNS.replace("interfaces", "CAST(interfaces AS BLOB) AS interfaces")
_SELECT = f"SELECT {_READ} FROM clients "  # noqa: S608 - constants only
_REPLACE = f"INSERT OR REPLACE INTO clients ({_COLUMNS}) VALUES ({_PLACES})"  # noqa: S608 - likewise
_UPDATE = f"UPDATE clients SET ({_COLUMNS}) = ({_PLACES}) WHERE key = ?"  # noqa: S608 - likewise
_EXCESS = "SELECT key FROM clients ORDER BY last_seen DESC LIMIT -1 OFFSET ?"

# Who writes uploads is waited for, but not for long: there will be another occasion.
_BUSY_MILLISECONDS = 1000

# Unix times from here on are beyond some calendars: it is the year 5138.
_LATEST = 1e11


class SQLiteClients:
    """Keeps profiles in a database, over a connection of its own that opens when it is needed.

    So uploads never wait for profiles, neither for a lock nor for the disk.

    Args:
        path: The database, which has its schema.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()

    async def start(self) -> None:
        """Get ready, also after an event loop that did not close it."""
        left, self._connection = self._connection, None
        if left is not None:
            await left.abandon()
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Give the connection back, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def find(self, keys: Collection[str]) -> Sequence[ClientProfile]:
        places = ", ".join("?" * len(keys))
        return await self._select(len(keys), f"WHERE key IN ({places})", *keys)

    async def keep(
        self, profiles: Sequence[ClientProfile], *, known: Collection[str] = ()
    ) -> Sequence[str]:
        def work(connection: sqlite3.Connection) -> list[str]:
            return [
                profile.key
                for profile in profiles
                if not _kept(connection, profile, known=profile.key in known)
            ]

        return await self._write(work)

    async def page(self, *, after: str | None = None, limit: int = 100) -> Sequence[ClientProfile]:
        return await self._select(limit, "WHERE key > ? ORDER BY key", after or "")

    async def forget(self, keys: Collection[str]) -> Sequence[str]:
        def work(connection: sqlite3.Connection) -> list[str]:
            return [key for key in keys if _removed(connection, "key = ?", key)]

        return await self._write(work)

    async def forget_all(self) -> int:
        return await self._write(lambda connection: _removed(connection, "1"))

    async def expire(self, *, since: float, until: float, most: int) -> None:
        def work(connection: sqlite3.Connection) -> None:
            _removed(connection, "last_seen < ? OR last_seen > ?", since, until)
            _removed(connection, f"key IN ({_EXCESS})", most)

        await self._write(work)

    async def _select(self, most: int, where: str, *parameters: object) -> list[ClientProfile]:
        def work(connection: sqlite3.Connection) -> list[ClientProfile]:
            with closing(connection.execute(_SELECT + where, parameters)) as rows:
                profiles = (found for row in rows if (found := _read(row)) is not None)
                return list(islice(profiles, most))

        return await (await self._open()).run(work)

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = work(connection)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            return done

        return await (await self._open()).run(transaction)

    async def _open(self) -> Connection:
        async with self._opening:
            if self._connection is None:
                # What is lost with the power will be learned again.
                opened = await Connection.open(self._path, durable=False)
                await opened.run(_be_modest)
                self._connection = opened
            return self._connection


def _be_modest(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")


def _kept(connection: sqlite3.Connection, profile: ClientProfile, *, known: bool) -> bool:
    row = _row(profile)
    if not known:
        connection.execute(_REPLACE, row)
        return True
    return connection.execute(_UPDATE, (*row, profile.key)).rowcount == 1


def _removed(connection: sqlite3.Connection, where: str, *parameters: object) -> int:
    return connection.execute(f"DELETE FROM clients WHERE {where}", parameters).rowcount  # noqa: S608 - constants only


def _row(profile: ClientProfile) -> tuple[Any, ...]:
    return (
        *profile[:6],
        *(profile.rate or (None, None)),
        *(profile.latency or (None, None)),
        profile.download_rate,
        profile.jitter,
        profile.loss,
        json.dumps(profile.interfaces),
    )


def _read(row: Sequence[Any]) -> ClientProfile | None:
    """The profile in a row; None if it is broken: that client is unknown until it is written."""
    try:
        return _profile(row)
    except (ValueError, TypeError, RecursionError):
        return None


def _profile(row: Sequence[Any]) -> ClientProfile:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    finite = all(math.isfinite(value) for value in row[1:-1] if value is not None)
    if not (finite and max(values["first_seen"], values["last_seen"]) < _LATEST):
        raise ValueError("These are no measurements.")
    rate, latency = (_trend(values[name], values.pop(f"{name}_slope")) for name in _TRENDS)
    interfaces = tuple(_interface(*each) for each in json.loads(values["interfaces"]))
    return ClientProfile(**values | {"rate": rate, "latency": latency, "interfaces": interfaces})


def _interface(name: object, kind: object, times: object) -> SeenInterface:
    if not (isinstance(name, str) and isinstance(kind, str) and isinstance(times, int)):
        raise TypeError("It has another form.")
    return SeenInterface(name, kind, times)


def _trend(level: float | None, slope: float | None) -> Trend | None:
    return None if level is None or slope is None else Trend(level, slope)
