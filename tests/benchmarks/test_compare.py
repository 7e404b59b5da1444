"""Two results side by side."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.compare import compared, main
from benchmarks.report import Report
from benchmarks.saved import Saved, parse

from .conftest import SERVERS, report, trial


def saved(run: Report) -> Saved:
    return parse(json.loads(run.json()))


def rows(before: Report, after: Report) -> list[str]:
    return [line for line in compared(saved(before), saved(after)).splitlines() if "MiB/s" in line]


def run(*speeds: float) -> Report:
    return report(*(trial("ours", number, speed) for number, speed in enumerate(speeds)))


def test_rounds_that_do_not_overlap_are_apart() -> None:
    assert ["| ours | MiB/s | 105 (100 to 110) | 210 (200 to 220) | 2.00 | apart |"] == rows(
        run(100, 110), run(200, 220)
    )


def test_rounds_that_overlap_are_not_apart() -> None:
    assert ["| ours | MiB/s | 150 (100 to 200) | 195 (190 to 200) | 1.30 |  |"] == rows(
        run(100, 200), run(190, 200)
    )


def test_a_single_round_is_never_apart() -> None:
    assert ["| ours | MiB/s | 100 | 900 | 9.00 |  |"] == rows(run(100), run(900))


def test_another_machine_is_named() -> None:
    other = replace(run(1), machine={"disk": "tmpfs"})
    assert "| disk | ext4 on vda | tmpfs |" in compared(saved(run(1)), saved(other))


def test_what_only_one_run_has_is_named() -> None:
    fewer = replace(run(1), servers={"large": SERVERS[:1]})
    text = compared(saved(fewer), saved(run(1)))
    assert "Only in B: tusd, slow, bare." in text
    assert "Only in A" not in text


def test_another_size_is_named() -> None:
    whole = run(1)
    quick = replace(whole, cases=[replace(whole.cases[0], title="One PATCH of 1 MiB")])
    assert "B is another size: One PATCH of 1 MiB." in compared(saved(whole), saved(quick))


def test_files_are_compared_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "results.json"
    file.write_text(run(1, 2).json(), encoding="utf-8")
    assert 0 == main([str(file), str(file)])
    assert "| ours | MiB/s |" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 1}'])
def test_a_file_of_another_kind_is_refused(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.json"
    file.write_text(content, encoding="utf-8")
    assert 2 == main([str(file), str(file)])
    assert "is no results.json" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == main([str(tmp_path / "a.json"), str(tmp_path / "b.json")])
    assert "cannot be read" in capsys.readouterr().err
