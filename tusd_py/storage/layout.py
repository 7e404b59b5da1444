"""Where finished files go: functions from an upload to a relative path."""

import os
from collections.abc import Callable
from datetime import UTC, datetime

from tusd_py.errors import CallableFailed
from tusd_py.protocol.upload import Upload

Layout = Callable[[Upload], str]

_LONGEST_NAME = 255


def by_date(upload: Upload) -> str:
    """``2026/11/21/<id>``, by the day (UTC) on which the upload was created."""
    day = datetime.fromtimestamp(upload.created_at, UTC)
    return f"{day:%Y/%m/%d}/{upload.id}"


def by_id(upload: Upload) -> str:
    """``<id>``, all in one folder."""
    return upload.id


LAYOUTS: dict[str, Layout] = {"date": by_date, "id": by_id}


def checked(path: str) -> str:
    """Let a path through that stays inside the folder of finished files.

    Raises:
        CallableFailed: 500, whoever chose the path chose a bad one.
    """
    names = path.split("/")
    if not all(_good_name(name) for name in names):
        raise CallableFailed("layout")
    return path


def _good_name(name: str) -> bool:
    return (
        name not in ("", ".", "..")
        and name.isprintable()
        and "\\" not in name
        and not (os.name == "nt" and ":" in name)
        and len(name.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME
    )
