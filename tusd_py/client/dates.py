"""Dates in headers, of whichever server."""

from datetime import UTC
from email.utils import parsedate_to_datetime


def read_date(value: str) -> float | None:
    """Unix time in seconds of what a header says; None if that is no time of any calendar."""
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
