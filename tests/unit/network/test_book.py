"""What a server writes down of its switches."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tusd_py.network.book import Noted, read_book, write_book

SWITCH = Noted(1800000000.5, "eth0", "wlan0", "lost", "eth0 has no link or no address any more")


def test_where_nothing_was_written_there_is_nothing(tmp_path: Path) -> None:
    assert read_book(tmp_path / "network.json") is None


def test_a_start_and_a_switch_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    write_book(path, "eth0", 1800000000.0)
    at_first = read_book(path)
    write_book(path, "wlan0", 1800000000.5, SWITCH)
    book = read_book(path)

    assert at_first is not None
    assert ("eth0", 1800000000.0, ()) == (at_first.active, at_first.since, at_first.switches)
    assert book is not None
    assert ("wlan0", 1800000000.5, (SWITCH,)) == (book.active, book.since, book.switches)
    assert book.running
    assert [path] == [*tmp_path.iterdir()]


def test_a_start_keeps_what_was_written_before(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    write_book(path, "wlan0", 1.0, SWITCH)
    write_book(path, None, 2.0)
    book = read_book(path)
    assert book is not None
    assert (None, (SWITCH,)) == (book.active, book.switches)


def test_the_last_hundred_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    for number in range(103):
        write_book(path, "eth0", 1.0, Noted(float(number), None, "eth0", "first", "none was"))
    book = read_book(path)
    assert book is not None
    assert [*range(3, 103)] == [switch.at for switch in book.switches]


def test_who_ended_runs_no_more(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    program = (
        "import sys, pathlib; from tusd_py.network.book import write_book;"
        "write_book(pathlib.Path(sys.argv[1]), 'eth0', 1.0)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    book = read_book(path)
    assert book is not None
    assert not book.running


def test_another_process_of_the_same_number_is_another(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    write_book(path, "eth0", 1.0)
    path.write_text(json.dumps({**json.loads(path.read_text()), "began": 1.0}))
    book = read_book(path)
    assert book is not None
    assert not book.running


BROKEN = [
    "",
    "[]",
    "{",
    '{"version": 2}',
    '{"version": 1}',
    '{"version": 1, "active": 7, "since": 1, "process": 1, "began": 1, "switches": []}',
    '{"version": 1, "active": null, "since": "x", "process": 1, "began": 1, "switches": []}',
    '{"version": 1, "active": null, "since": 1, "process": 1, "began": null, "switches": []}',
    '{"version": 1, "active": null, "since": 1, "process": 1, "began": 1, "switches": [{}]}',
    "[" * 60_000,
    '{"version": ' * 60_000,
    '{"version": 1, "active": null, "since": 1e400, "process": 1, "began": 1, "switches": []}',
    '{"version": 1, "active": null, "since": 1e18, "process": 1, "began": 1, "switches": []}',
    '{"version": 1, "active": null, "since": -1, "process": 1, "began": 1, "switches": []}',
    '{"version": 1, "active": null, "since": NaN, "process": 1, "began": 1, "switches": []}',
    *(
        '{"version": 1, "active": null, "since": 1, "process": 1, "began": 1, "switches": '
        f'[{{"at": 1, "before": {before}, "after": null, "reason": "lost", "detail": {detail}}}]}}'
        for before, detail in (("[[]]", '""'), ("null", "{}"))
    ),
]


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text[:40])
def test_what_is_broken_is_called_so_and_written_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "network.json"
    path.write_text(text)
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, nobody reads it
        read_book(path)

    write_book(path, "eth0", 1.0, SWITCH)
    assert [["lost"]] == [[each["reason"] for each in json.loads(path.read_text())["switches"]]]


@pytest.mark.parametrize("process", ['"x"', "-1", "1e300", "null", "99999999999999999999"])
def test_a_strange_process_runs_no_more(tmp_path: Path, process: str) -> None:
    path = tmp_path / "network.json"
    path.write_text(
        f'{{"version": 1, "active": null, "since": 1, "process": {process}, "began": 1,'
        ' "switches": []}'
    )
    book = read_book(path)
    assert book is not None
    assert not book.running
