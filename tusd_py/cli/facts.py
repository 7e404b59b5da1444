"""What the command line tells of an upload: names that programs can rely on."""

from datetime import UTC, datetime

from tusd_py.errors import InvalidHeader
from tusd_py.protocol.metadata import parse_metadata, text_of
from tusd_py.protocol.upload import Upload


def facts(upload: Upload, now: float) -> dict[str, object]:
    """The facts about an upload as JSON has them: sizes in bytes, times as RFC 3339 in UTC.

    Args:
        upload: As it is recorded.
        now: Unix time in seconds.
    """
    return {
        "id": upload.id,
        "kind": upload.kind.value,
        "state": state(upload, now),
        "offset": upload.offset,
        "length": upload.length,
        "max_length": upload.max_length,
        "subject": upload.subject,
        "metadata": metadata(upload),
        "raw_metadata": upload.metadata,
        "parts": [*upload.parts],
        "path": upload.path,
        "created_at": time(upload.created_at),
        "expires_at": time(upload.expires_at) if upload.expires else None,
        "finished_at": time(upload.finished_at),
    }


def state(upload: Upload, now: float) -> str:
    """``finished``, ``unfinished``, or ``expired`` if it waits for its removal."""
    if upload.expired(now):
        return "expired"
    return "finished" if upload.finished else "unfinished"


def metadata(upload: Upload) -> dict[str, str]:
    """The metadata as text; what is none is replaced, and is whole in ``raw_metadata``."""
    try:
        return text_of(parse_metadata(upload.metadata))
    except InvalidHeader:
        return {}


def time(unix: float | None) -> str | None:
    """Write a time."""
    if unix is None:
        return None
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
