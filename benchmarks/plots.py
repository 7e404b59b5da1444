"""Bars from a `results.json`, one SVG for each case: ``python -m benchmarks.plots FILE FOLDER``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from benchmarks.errors import UnreadableError
from benchmarks.progress import say
from benchmarks.saved import Saved, SavedCase, load
from benchmarks.servers import Role
from benchmarks.summary import Spread

_WIDTH: Final = 720
_LABELS: Final = 160
_FIGURES: Final = 90
_ROW: Final = 26
_TOP: Final = 62
_FONT: Final = 'font-family="sans-serif" font-size="13" fill="#222"'
_COLOURS: Final = {
    Role.OURS: "#2f6fde",
    Role.GUARDED: "#5287e4",
    Role.EMBEDDED: "#7ea6ec",
    Role.SIZED: "#7ea6ec",
    Role.PEER: "#9a9a9a",
    Role.LIMIT: "#d9d9d9",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One server's figure."""

    name: str
    role: Role
    value: Spread


def main(arguments: Sequence[str]) -> int:
    """Draw all cases; the exit status is 2 where the file cannot be read."""
    if len(arguments) != 2:
        say("usage: python -m benchmarks.plots results.json FOLDER")
        return 2
    try:
        saved = load(Path(arguments[0]))
    except UnreadableError as error:
        say(f"benchmarks: {error}")
        return 2
    draw(saved, Path(arguments[1]))
    return 0


def draw(saved: Saved, folder: Path) -> None:
    """Write a plot for each case that has figures."""
    folder.mkdir(parents=True, exist_ok=True)
    for case in saved.cases.values():
        if bars := list(_bars(case, saved)):
            metric = case.main_metric
            (folder / f"{case.name}.svg").write_text(
                plot(case.title, metric.title, bars, metric.digits), encoding="utf-8"
            )


def plot(title: str, unit: str, bars: Sequence[Bar], digits: int = 0) -> str:
    """Return an SVG: a bar from zero to each median, and a line from its lowest to its highest."""
    most = max(bar.value.high for bar in bars) or 1.0
    scale = (_WIDTH - _LABELS - _FIGURES) / most
    height = _TOP + _ROW * len(bars) + 10
    rows = [
        line
        for number, bar in enumerate(bars)
        for line in _row(bar, _TOP + _ROW * number, scale, digits)
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {_FONT}>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="10" y="24" font-size="15" font-weight="bold">{escape(title)}</text>',
        f'<text x="10" y="44" fill="#666">{escape(unit)}: medians, lowest to highest</text>',
    )
    return "\n".join([*head, *rows, "</svg>"]) + "\n"


def _row(bar: Bar, top: int, scale: float, digits: int) -> Iterator[str]:
    middle = top + _ROW // 2
    low, median, high = (
        _LABELS + value * scale for value in (bar.value.low, bar.value.median, bar.value.high)
    )
    yield f'<text x="{_LABELS - 8}" y="{middle + 4}" text-anchor="end">{escape(bar.name)}</text>'
    yield (
        f'<rect x="{_LABELS}" y="{top + 4}" width="{median - _LABELS:.1f}" height="{_ROW - 8}" '
        f'fill="{_COLOURS[bar.role]}"/>'
    )
    yield (
        f'<line x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}" stroke="#222" '
        'stroke-width="1.5"/>'
    )
    figure = f"{bar.value.median:,.{digits}f}"
    yield f'<text x="{max(median, high) + 6:.1f}" y="{middle + 4}">{figure}</text>'


def _bars(case: SavedCase, saved: Saved) -> Iterator[Bar]:
    for name, figures in case.servers.items():
        if value := figures.get(case.main_metric.key):
            yield Bar(name, Role(saved.roles[name]), value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
