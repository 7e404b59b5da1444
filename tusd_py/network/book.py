"""What a running server writes down of its switches, for those who look at them beside it."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psutil

_VERSION: Final = 1
_KEPT: Final = 100
# Unix times from here on are beyond some calendars: it is the year 5138.
_LATEST: Final = 1e11


@dataclass(frozen=True, slots=True)
class Noted:
    """A switch from one interface to another; None is none."""

    at: float
    """Unix time in seconds."""

    before: str | None
    after: str | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What was written down last.

    Attributes:
        active: The interface in use; None is none.
        since: Unix time in seconds since when.
        running: The process that wrote still runs.
        switches: The latest ones, the oldest first.
    """

    active: str | None
    since: float
    running: bool
    switches: tuple[Noted, ...] = ()


def read_book(path: Path) -> Book | None:
    """Read what was written down; None if nobody wrote anything. Blocks.

    Raises:
        ValueError: It is broken.
        OSError: It cannot be read.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except RecursionError as error:
        raise ValueError("It is nested without an end.") from error
    try:
        return _book(document)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("It has another form.") from error


def write_book(path: Path, active: str | None, now: float, switch: Noted | None = None) -> None:
    """Write down which interface this process uses from now on, and the switch to it. Blocks.

    Earlier switches are kept, unless they cannot be read.

    Raises:
        OSError: It cannot be written.
    """
    try:
        before = read_book(path)
    except (OSError, ValueError):
        before = None
    switches = (*(before.switches if before else ()), *((switch,) if switch else ()))
    document = {
        "version": _VERSION,
        "active": active,
        "since": now,
        "process": os.getpid(),
        "began": _beginning(os.getpid()),
        "switches": [asdict(each) for each in switches[-_KEPT:]],
    }
    _replace(path, json.dumps(document, indent=1))


def _book(document: Mapping[str, Any]) -> Book:
    if document["version"] != _VERSION:
        raise ValueError("Another version wrote it.")
    active, since, began = document["active"], document["since"], document["began"]
    switches = tuple(Noted(**each) for each in document["switches"])
    names = (active, *(name for each in switches for name in (each.before, each.after)))
    if not (
        all(isinstance(name, str | None) for name in names)
        and all(isinstance(word, str) for each in switches for word in (each.reason, each.detail))
        and all(_is_time(at) for at in (since, began, *(each.at for each in switches)))
    ):
        raise ValueError("It has another form.")
    return Book(
        active=active,
        since=since,
        # Another process may have its number by now, but did not begin with it.
        running=began == _beginning(document["process"]),
        switches=switches,
    )


def _is_time(value: object) -> bool:
    """Whether it is Unix time that can be shown."""
    if isinstance(value, bool) or not isinstance(value, float | int):
        return False
    return 0 <= value <= _LATEST


def _beginning(process: int) -> float | None:
    try:
        return float(psutil.Process(process).create_time())
    except (psutil.Error, ValueError, TypeError, OverflowError):
        return None


def _replace(path: Path, text: str) -> None:
    fd, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
