"""What a subject has in an SQLite database."""

import sqlite3

from tusd_py.protocol.upload import Upload

from .base import Quota

# A sum of integers would fail where it is too large for one; this is a float.
_HAS = """
    SELECT
        total(coalesce(length, max_length, offset)),
        count(*) FILTER (WHERE finished_at IS NULL)
    FROM uploads WHERE subject = ? AND (
        expires_at IS NULL OR expires_at > ? OR (finished_at IS NOT NULL AND kind <> 'partial')
    )
"""
_CREATED = "SELECT count(*) FROM creations WHERE subject = ? AND created_at > ?"
_FORGET = "DELETE FROM creations WHERE subject = ? AND created_at <= ?"
# Seconds; a quota looks back for less.
_MEMORY = 3600.0


def check_quota(connection: sqlite3.Connection, subject: str, quota: Quota) -> None:
    """Let a subject through that has no more than its quota.

    Raises:
        OverLimit: It has more.
    """
    ((size, unfinished),) = connection.execute(_HAS, (subject, quota.now))
    recent = 0
    if quota.recent is not None:
        ((recent,),) = connection.execute(_CREATED, (subject, quota.since))
    quota.check(size, unfinished, recent)


def add_creation(connection: sqlite3.Connection, upload: Upload, quota: Quota) -> None:
    """Count a creation of a subject whose rate is limited, whatever becomes of the upload."""
    if quota.recent is not None:
        connection.execute(_FORGET, (upload.subject, quota.since))
        connection.execute("INSERT INTO creations VALUES (?, ?)", (upload.subject, quota.now))


def forget_creations(connection: sqlite3.Connection, now: float) -> None:
    """Forget the creations of those who do not come back."""
    connection.execute("DELETE FROM creations WHERE created_at <= ?", (now - _MEMORY,))
