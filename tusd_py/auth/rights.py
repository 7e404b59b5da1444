"""What the holder of a capability may do with the upload."""

from collections.abc import Iterable
from enum import STRICT, Flag
from typing import Final

from tusd_py.quantities import shown


class Rights(Flag, boundary=STRICT):
    """Any of these; the numbers are those of the token."""

    HEAD = 1
    """Ask for the offset, at any time."""

    PATCH = 2
    """Append."""

    GET = 4
    """Download."""

    DELETE_UNFINISHED = 8
    """Terminate, until the upload is complete."""

    DELETE = 16
    """Terminate, at any time."""


DEFAULT_RIGHTS: Final = Rights.HEAD | Rights.PATCH | Rights.DELETE_UNFINISHED
"""What it takes to upload, and no more."""

_RIGHT_NAMED: Final = {(right.name or "").replace("_", "-"): right for right in Rights}


def rights_named(names: Iterable[str]) -> Rights:
    """Read rights from their names, such as ``GET`` or ``DELETE-UNFINISHED``.

    Raises:
        ValueError: A name is unknown, or stands twice.
    """
    rights = Rights(0)
    for name in names:
        right = _RIGHT_NAMED.get(name)
        if right is None:
            raise ValueError(f"{shown(name)} is none of {', '.join(_RIGHT_NAMED)}.")
        if right in rights:
            raise ValueError(f"{shown(name)} stands twice.")
        rights |= right
    return rights


def names_of(rights: Rights) -> list[str]:
    """Write rights as their names, in the order of their numbers."""
    return [name for name, right in _RIGHT_NAMED.items() if right in rights]


def beside_default(names: Iterable[str]) -> Rights:
    """Add rights, by their names, to what every upload needs.

    Raises:
        ValueError: A name is unknown, or stands twice.
    """
    rights = DEFAULT_RIGHTS | rights_named(names)
    if Rights.DELETE in rights:
        return rights & ~Rights.DELETE_UNFINISHED
    return rights


def allows(rights: Rights, method: str, *, finished: bool) -> bool:
    """Tell whether rights are enough for an effective method.

    Args:
        rights: What was granted.
        method: In upper case. ``PATCH`` on a finished upload needs no more than before: it can
            change nothing, and tus-java-client ends some uploads with an empty one.
        finished: Whether the upload is complete.
    """
    if method == "DELETE":
        enough = Rights.DELETE if finished else Rights.DELETE | Rights.DELETE_UNFINISHED
        return bool(rights & enough)
    # HEAD, PATCH and GET are the other methods with a right of their own name.
    return method in ("HEAD", "PATCH", "GET") and _RIGHT_NAMED[method] in rights
