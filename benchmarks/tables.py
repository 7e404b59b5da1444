"""Tables of figures in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.summary import Spread

NOTHING: Final = "-"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; bars inside of cells become slashes."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in lines)


def figure(value: Spread | None, digits: int) -> str:
    """Return a median, and what it lies between where there is more than one round."""
    if value is None:
        return NOTHING
    if value.count == 1:
        return f"{value.median:,.{digits}f}"
    return f"{value.median:,.{digits}f} ({value.low:,.{digits}f} to {value.high:,.{digits}f})"
