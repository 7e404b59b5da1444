"""Bars drawn from a result."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.plots import draw
from benchmarks.report import Report
from benchmarks.saved import parse

from .conftest import report, trial

SVG = "{http://www.w3.org/2000/svg}"


def drawn(run: Report, folder: Path) -> ET.Element:
    draw(parse(json.loads(run.json())), folder)
    # Written a moment ago by ourselves.
    return ET.parse(folder / "large.svg").getroot()  # noqa: S314


def test_bars_are_as_long_as_their_medians(tmp_path: Path) -> None:
    rounds = (trial("ours", number, speed) for number, speed in enumerate([900, 100, 300]))
    picture = drawn(report(*rounds, trial("tusd", 1, 100)), tmp_path)
    _, ours, tusd = (float(bar.attrib["width"]) for bar in picture.iter(f"{SVG}rect"))
    assert abs(ours - 3 * tusd) < 0.2 < tusd


def test_a_line_spans_lowest_to_highest(tmp_path: Path) -> None:
    run = report(trial("ours", 1, 100), trial("ours", 2, 300), trial("tusd", 1, 400))
    line, _ = drawn(run, tmp_path).iter(f"{SVG}line")
    begin, end = float(line.attrib["x1"]), float(line.attrib["x2"])
    zero = float(
        next(bar for bar in drawn(run, tmp_path).iter(f"{SVG}rect") if "x" in bar.attrib).attrib[
            "x"
        ]
    )
    assert abs((end - zero) - 3 * (begin - zero)) < 0.5


def test_texts_are_whole_and_only_servers_with_figures_are_drawn(tmp_path: Path) -> None:
    texts = [text.text for text in drawn(report(trial("ours", 1, 1)), tmp_path).iter(f"{SVG}text")]
    assert ["One PATCH of <2> GiB", "MiB/s: medians, lowest to highest", "ours", "1"] == texts


def test_a_case_without_figures_has_no_plot(tmp_path: Path) -> None:
    draw(parse(json.loads(report().json())), tmp_path)
    assert [] == list(tmp_path.iterdir())
