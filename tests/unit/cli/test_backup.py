"""``tusd-py backup`` copies the metadata of a server that may be running."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.cli.fakes import Run


@pytest.fixture
def data_dir(run: Run, tmp_path: Path) -> Path:
    """A folder with the database of a server."""
    folder = tmp_path / "data"
    folder.mkdir()
    assert 0 == run("sweep", "--data-dir", str(folder)).exit_code
    return folder


def only_file(folder: Path, name: str) -> bool:
    return [name] == [file.name for file in folder.iterdir()]


def test_the_copy_is_a_database_of_its_own_and_nothing_else_is_left(
    run: Run, data_dir: Path, tmp_path: Path
) -> None:
    place = tmp_path / "backups"
    place.mkdir()
    done = run("backup", str(place / "copy.db"), "--data-dir", str(data_dir))

    assert (0, f"Copied 0 uploads to {place / 'copy.db'}.\n") == (done.exit_code, done.stdout)
    assert only_file(place, "copy.db")
    with closing(sqlite3.connect(place / "copy.db")) as copy:
        assert [("ok",)] == copy.execute("PRAGMA integrity_check").fetchall()


def test_programs_get_json(run: Run, data_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    done = run("backup", "--json", str(target), "--data-dir", str(data_dir))

    assert (0, {"uploads": 0, "file": str(target)}) == (done.exit_code, json.loads(done.stdout))


def test_an_unknown_flag_is_no_destination(run: Run, data_dir: Path) -> None:
    done = run("backup", "--jsno", "--data-dir", str(data_dir))

    problem = "--jsno: There is no such setting. Did you mean --json?\n"
    assert (2, problem) == (done.exit_code, done.stderr)


def test_what_is_there_is_not_overwritten(run: Run, data_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("precious")
    done = run("backup", str(target), "--data-dir", str(data_dir))

    assert (1, f"{target} exists already. Name a new file.\n") == (done.exit_code, done.stderr)
    assert "precious" == target.read_text()


def test_a_file_that_appears_meanwhile_is_not_overwritten_either(
    run: Run, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "backups"
    place.mkdir()
    target = place / "copy.db"
    real = os.fsync

    def fsync(fd: int) -> None:
        real(fd)
        target.write_text("precious")

    monkeypatch.setattr(os, "fsync", fsync)
    assert 1 == run("backup", str(target), "--data-dir", str(data_dir)).exit_code
    assert "precious" == target.read_text()
    assert only_file(place, "copy.db")


def test_a_place_that_is_not_there_is_told(run: Run, data_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / "typo" / "copy.db"
    done = run("backup", str(target), "--data-dir", str(data_dir))
    assert 1 == done.exit_code
    assert f"{target} cannot be written: No such file or directory.\n" == done.stderr


def test_a_folder_without_a_database_is_told_and_gets_none(run: Run, tmp_path: Path) -> None:
    done = run("backup", str(tmp_path / "copy.db"), "--data-dir", str(tmp_path / "typo"))
    assert 1 == done.exit_code
    assert f"There is no database {tmp_path / 'typo' / 'tus.db'}." in done.stderr
    assert [] == [*tmp_path.iterdir()]


def test_what_is_no_database_is_told_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tus.db").write_bytes(b"no database at all, but long enough to be looked at" * 99)
    done = run("backup", str(tmp_path / "copy.db"), "--data-dir", str(tmp_path))
    assert 1 == done.exit_code
    assert 1 == len(done.stderr.splitlines())
    assert only_file(tmp_path, "tus.db")


def test_a_database_of_a_newer_version_is_left_alone(
    run: Run, data_dir: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(data_dir / "tus.db")) as connection:
        connection.execute("PRAGMA user_version = 999")
    done = run("backup", str(tmp_path / "copy.db"), "--data-dir", str(data_dir))
    assert 1 == done.exit_code
    assert "schema 999" in done.stderr


@pytest.mark.parametrize("args", [(), ("--port",), ("--bogus", "x")])
def test_the_file_has_to_be_named(run: Run, data_dir: Path, args: tuple[str, ...]) -> None:
    assert 2 == run("backup", *args, "--data-dir", str(data_dir)).exit_code
