"""``Range``: which part of a download is asked for (RFC 9110, 14)."""

import re
from dataclasses import dataclass

from tusd_py.errors import RangeNotSatisfiable

_BYTES = re.compile(r"bytes=(.*)", re.IGNORECASE)
_RANGE = re.compile(r"([0-9]*)-([0-9]*)", re.ASCII)
# More than any file has. int() refuses numbers of very many digits.
_BEYOND = 10**20


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a whole.

    Attributes:
        start: Where they begin.
        count: How many they are.
    """

    start: int
    count: int

    def content_range(self, size: int) -> str:
        """The value of ``Content-Range``, for a part of a whole of so many bytes."""
        return f"bytes {self.start}-{self.start + self.count - 1}/{size}"


def select_part(value: str | None, size: int) -> Part | None:
    """The part that a ``Range`` header asks for; None is the whole.

    That are no header, another unit than bytes, what is malformed, and several ranges, which a
    server may answer whole. Of nothing there is no part, so nobody is refused who asks for one.

    Args:
        value: The header.
        size: How many bytes there are.

    Raises:
        RangeNotSatisfiable: 416, the range has none of them.
    """
    ranges = _ranges(value)
    if len(ranges) != 1 or not size:
        return None
    first, last = ranges[0]
    if first is None:
        # The last bytes, which may be more than there are.
        start, end = max(0, size - (last or 0)), size
    else:
        start, end = first, size if last is None else min(last + 1, size)
    if start >= end:
        raise RangeNotSatisfiable(size)
    return Part(start, end - start)


def _ranges(value: str | None) -> list[tuple[int | None, int | None]]:
    """The ranges of a header, first and last byte; nothing if one of them is none."""
    listed = _BYTES.fullmatch(value or "")
    if listed is None:
        return []
    # An empty element of a list is no element.
    pieces = filter(None, (piece.strip(" \t") for piece in listed[1].split(",")))
    found = []
    for piece in pieces:
        match = _RANGE.fullmatch(piece)
        first, last = (_number(match[1]), _number(match[2])) if match else (None, None)
        if last is None and first is None:
            return []
        if first is not None and last is not None and last < first:
            return []
        found.append((first, last))
    return found


def _number(digits: str) -> int | None:
    if not digits:
        return None
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) < len(str(_BEYOND)) else _BEYOND
