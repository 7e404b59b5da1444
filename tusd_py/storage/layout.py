"""Where finished files go: functions from an upload to a relative path."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from tusd_py.errors import CallableFailed
from tusd_py.protocol.upload import Upload

Layout = Callable[[Upload], str]

_LONGEST_NAME = 255
# Far from what systems take, folders of our own in front included.
_LONGEST_PATH = 1024
_MOST_FOLDERS = 32
_NO_NAMES = frozenset(("", ".", ".."))
_DAY = 24 * 60 * 60


def by_date(upload: Upload) -> str:
    """``2026/11/21/<id>``, by the day (UTC) on which the upload was created."""
    return f"{_day(int(upload.created_at // _DAY))}/{upload.id}"


@lru_cache
def _day(number: int) -> str:
    return f"{datetime.fromtimestamp(number * _DAY, UTC):%Y/%m/%d}"


def by_id(upload: Upload) -> str:
    """``<id>``, all in one folder."""
    return upload.id


LAYOUTS: dict[str, Layout] = {"date": by_date, "id": by_id}


def checked(path: str) -> str:
    """Let a path through that stays inside the folder of finished files.

    Raises:
        CallableFailed: 500, whoever chose the path chose a bad one.
    """
    if not is_inside(path):
        raise CallableFailed("layout")
    return path


def is_inside(path: str) -> bool:
    """The path stays inside the folder that it is relative to, and can be written down."""
    names = path.split("/")
    return (
        path.isprintable()
        and len(names) - 1 <= _MOST_FOLDERS
        and len(path) <= _LONGEST_PATH
        and _NO_NAMES.isdisjoint(names)
        and "\\" not in path
        and not (os.name == "nt" and ":" in path)
        and (_is_short(path) or all(map(_is_short, names)))
    )


def _is_short(name: str) -> bool:
    return len(name.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME
