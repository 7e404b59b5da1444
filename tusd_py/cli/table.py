"""Tables for people, a line at a time, however long they get."""

from collections.abc import Iterable, Sequence

from .output import say

_GAP = "  "


def printable(text: str) -> str:
    """Make text that came from clients harmless: nothing in it moves the cursor of who reads it."""
    return text if text.isprintable() else ascii(text)[1:-1]


def line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Write a row; what is wider than its column pushes the others to the right."""
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return _GAP.join(padded).rstrip()


def show(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table that is known whole, with columns as wide as what they have."""
    everything = [heads, *rows]
    widths = [max(map(len, column)) for column in zip(*everything, strict=True)]
    say("\n".join(line(row, widths) for row in everything))
