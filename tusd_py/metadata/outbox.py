"""Events that have to be told, in an SQLite database."""

import sqlite3
from collections.abc import Collection, Sequence

from tusd_py.protocol.upload import UploadId

from .base import Backlog, Event, Receiver

_COLUMNS = (
    "id, upload_id, receiver, name, payload, created_at, due_at, attempts, error, dead, number"
)
_SELECT = f"SELECT {_COLUMNS} FROM events AS event "  # noqa: S608 - constants only
# What comes before it about the same upload is told first.
_DUE = """
    WHERE dead = 0 AND due_at <= ? AND receiver IN (?, ?) AND NOT EXISTS (
        SELECT 1 FROM events AS earlier
        WHERE earlier.upload_id = event.upload_id AND earlier.receiver = event.receiver
            AND earlier.number < event.number AND earlier.dead = 0
    )
    ORDER BY number LIMIT ?
"""


def add_events(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Add events, in order."""
    for event in events:
        connection.execute(
            f"INSERT INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",  # noqa: S608 - constants only
            (
                event.id,
                event.upload_id,
                event.receiver.value,
                event.name,
                event.payload,
                event.created_at,
                event.due_at,
                event.attempts,
                event.error,
                int(event.dead),
            ),
        )


def forget_callables(connection: sqlite3.Connection, upload_id: UploadId) -> None:
    """Remove the events that nothing can be said of without their upload."""
    connection.execute(
        "DELETE FROM events WHERE upload_id = ? AND receiver = ?",
        (upload_id, Receiver.CALLABLES.value),
    )


def list_events(
    connection: sqlite3.Connection, limit: int, after: int, *, dead: bool | None
) -> list[Event]:
    """List events, oldest first."""
    where = "WHERE number > ? AND dead IN (?, ?) ORDER BY number LIMIT ?"
    wanted = (0, 1) if dead is None else (int(dead), int(dead))
    return [_event(row) for row in connection.execute(_SELECT + where, (after, *wanted, limit))]


def due_events(
    connection: sqlite3.Connection, now: float, limit: int, receivers: Collection[Receiver]
) -> list[Event]:
    """List the events that are to be told."""
    wanted = [each.value if each in receivers else None for each in Receiver]
    return [_event(row) for row in connection.execute(_SELECT + _DUE, (now, *wanted, limit))]


def change_event(connection: sqlite3.Connection, event: Event) -> None:
    """Record what became of an attempt to tell an event."""
    connection.execute(
        "UPDATE events SET due_at = ?, attempts = ?, error = ?, dead = ? WHERE id = ?",
        (event.due_at, event.attempts, event.error, int(event.dead), event.id),
    )


def settle(connection: sqlite3.Connection, event_id: str) -> None:
    """Forget an event."""
    connection.execute("DELETE FROM events WHERE id = ?", (event_id,))


def count_events(connection: sqlite3.Connection) -> Backlog:
    """Count the events by whether they are dead."""
    (dead,) = connection.execute("SELECT count(*) FROM events WHERE dead = 1").fetchone()
    waiting, oldest = connection.execute(
        "SELECT count(*), min(created_at) FROM events WHERE dead = 0"
    ).fetchone()
    return Backlog(waiting=waiting, dead=dead, oldest=oldest)


def _event(row: Sequence[object]) -> Event:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    values |= {"receiver": Receiver(str(values["receiver"])), "dead": bool(values["dead"])}
    return Event(**values)  # type: ignore[arg-type]
