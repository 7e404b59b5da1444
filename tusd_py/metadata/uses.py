"""Uses of grants in an SQLite database."""

import sqlite3

from tusd_py.errors import GrantUsed
from tusd_py.protocol.upload import UploadId

from .base import Use

# One statement, so that nothing comes between counting and adding.
_ADMITTED = """
    SELECT count(*) < ? AND ifnull(sum(size), 0) + ? <= ? FROM uses WHERE grant_id = ? AND part = ?
"""
_ADD = f"""
    INSERT INTO uses (grant_id, part, request, size, upload_id, expires_at)
    SELECT ?, ?, ?, ?, ?, ? WHERE ({_ADMITTED})
"""
_SAME = """
    SELECT upload_id FROM uses WHERE grant_id = ? AND part = 0 AND request = ?
    ORDER BY number DESC LIMIT 1
"""


def add_use(connection: sqlite3.Connection, use: Use, upload_id: UploadId) -> None:
    """Record a use with the upload that it made.

    Raises:
        GrantUsed: The grant admits no more.
    """
    values = (use.grant, int(use.part), use.request, use.size, upload_id, use.expires_at)
    if connection.execute(_ADD, (*values, *_limits(use))).rowcount != 1:
        raise _used(connection, use)


def check_use(connection: sqlite3.Connection, use: Use) -> None:
    """Let a use through that the grant admits.

    Raises:
        GrantUsed: It admits no more.
    """
    (admitted,) = connection.execute(_ADMITTED, _limits(use)).fetchone()
    if not admitted:
        raise _used(connection, use)


def take_back(connection: sqlite3.Connection, use: Use, upload_id: UploadId) -> None:
    """Forget the use that made an upload."""
    connection.execute(
        "DELETE FROM uses WHERE grant_id = ? AND upload_id = ?", (use.grant, upload_id)
    )


def forget_uses(connection: sqlite3.Connection, now: float) -> None:
    """Forget the uses of grants that hold no more."""
    connection.execute("DELETE FROM uses WHERE expires_at <= ?", (now,))


def _limits(use: Use) -> tuple[object, ...]:
    return use.most, use.size, use.most_size, use.grant, int(use.part)


def _used(connection: sqlite3.Connection, use: Use) -> GrantUsed:
    # Parts of one size look alike, so that none is taken for another.
    same = None if use.part else connection.execute(_SAME, (use.grant, use.request)).fetchone()
    return GrantUsed(same[0] if same else None, use.key_id)
