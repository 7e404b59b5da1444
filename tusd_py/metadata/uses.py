"""Uses of grants in an SQLite database."""

import sqlite3
from collections.abc import Sequence

from tusd_py.errors import GrantUsed
from tusd_py.protocol.upload import UploadId

from .base import Use

_GRANT = "(?, ?, 1, ?, ?, ?, ?)"
# The table's checks refuse what is too much, so that nothing comes between counting and adding.
_COUNT = """
    INSERT INTO grants (id, part, uses, size, most, most_size, expires_at) VALUES {}
    ON CONFLICT (id, part) DO UPDATE SET
        uses = uses + 1, size = size + excluded.size, most = excluded.most,
        most_size = excluded.most_size, expires_at = excluded.expires_at
"""
_REMEMBER = """
    INSERT INTO uses (grant_id, request, upload_id) VALUES {}
    ON CONFLICT (grant_id, request) DO UPDATE SET upload_id = excluded.upload_id
"""
_ADMITTED = "SELECT uses < ? AND size + ? <= ? FROM grants WHERE id = ? AND part = ?"
_SAME = "SELECT upload_id FROM uses WHERE grant_id = ? AND request = ?"


def add_uses(connection: sqlite3.Connection, uses: Sequence[tuple[Use, UploadId]]) -> None:
    """Record uses with the uploads that they made.

    Raises:
        GrantUsed: A grant admits no more. It tells of the right one where there is one use.
    """
    counted = [
        value
        for use, _ in uses
        for value in (use.grant, int(use.part), use.size, use.most, use.most_size, use.expires_at)
    ]
    try:
        connection.execute(_COUNT.format(", ".join([_GRANT] * len(uses))), counted)
    except sqlite3.IntegrityError as error:
        # A sum that is no integer any more fails as one that is too large.
        raise _used(connection, uses[0][0]) from error
    # Parts of one size look alike, so that none is taken for another.
    made = [(use.grant, use.request, upload_id) for use, upload_id in uses if not use.part]
    if made:
        values = [value for row in made for value in row]
        connection.execute(_REMEMBER.format(", ".join(["(?, ?, ?)"] * len(made))), values)


def check_use(connection: sqlite3.Connection, use: Use) -> None:
    """Let a use through that the grant admits.

    Raises:
        GrantUsed: It admits no more.
    """
    parameters = (use.most, use.size, use.most_size, use.grant, int(use.part))
    found = connection.execute(_ADMITTED, parameters).fetchone()
    if found is not None and not found[0]:
        raise _used(connection, use)


def take_back(connection: sqlite3.Connection, use: Use, upload_id: UploadId) -> None:
    """Forget the use that made an upload which is being removed."""
    connection.execute(
        "UPDATE grants SET uses = uses - 1, size = size - ? WHERE id = ? AND part = ?",
        (use.size, use.grant, int(use.part)),
    )
    connection.execute(
        "DELETE FROM uses WHERE grant_id = ? AND request = ? AND upload_id = ?",
        (use.grant, use.request, upload_id),
    )


def forget_uses(connection: sqlite3.Connection, now: float) -> None:
    """Forget the uses of grants that hold no more."""
    connection.execute(
        "DELETE FROM uses WHERE grant_id IN (SELECT id FROM grants WHERE expires_at <= ?)", (now,)
    )
    connection.execute("DELETE FROM grants WHERE expires_at <= ?", (now,))


def _used(connection: sqlite3.Connection, use: Use) -> GrantUsed:
    same = None if use.part else connection.execute(_SAME, (use.grant, use.request)).fetchone()
    return GrantUsed(same[0] if same else None, use.key_id)
