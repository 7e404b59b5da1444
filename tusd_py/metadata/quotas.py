"""What a subject has in an SQLite database."""

import sqlite3

from .base import Quota

# A sum of integers would fail where it is too large for one; this is a float.
_HAS = """
    SELECT
        total(coalesce(length, max_length, offset)),
        count(*) FILTER (WHERE finished_at IS NULL),
        count(*) FILTER (WHERE created_at > ?)
    FROM uploads WHERE subject = ? AND (
        expires_at IS NULL OR expires_at > ? OR (finished_at IS NOT NULL AND kind <> 'partial')
    )
"""


def check_quota(connection: sqlite3.Connection, subject: str, quota: Quota) -> None:
    """Let a subject through that has no more than its quota.

    Raises:
        OverLimit: It has more.
    """
    (has,) = connection.execute(_HAS, (quota.since, subject, quota.now))
    quota.check(*has)
