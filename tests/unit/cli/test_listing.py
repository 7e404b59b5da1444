"""``tusd-py list`` and ``tusd-py inspect`` tell what a server has, and change nothing."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.fakes import Run
from tusd_py.metadata import listing
from tusd_py.metadata.sqlite import SQLiteMetadata
from tusd_py.protocol.metadata import format_metadata
from tusd_py.protocol.upload import Kind, Upload
from tusd_py.storage.filesystem import FileStorage
from tusd_py.testing.storage import DATA, store
from tusd_py.testing.uploads import an_upload

LONG_AGO, NOT_SOON = 1_000_000_000.0, 9_000_000_000.0
NAMED = format_metadata({"filename": "café".encode(), "raw": b"\xff"})
UPLOADS = (
    an_upload("a-unfinished", offset=10, subject="alice", expires_at=NOT_SOON, metadata=NAMED),
    an_upload("b-finished", offset=10, length=10, finished_at=LONG_AGO, subject="bob"),
    an_upload("c-expired", expires_at=LONG_AGO, subject="alice"),
    an_upload("d-part", kind=Kind.PARTIAL, finished_at=LONG_AGO, expires_at=LONG_AGO, path=None),
    an_upload("e-open", length=None, expires_at=None),
)


async def _fill(folder: Path, uploads: Sequence[Upload]) -> None:
    storage, metadata = FileStorage(folder), SQLiteMetadata(folder / "tus.db")
    await storage.start(durable=False)
    await metadata.start(durable=False)
    for upload in uploads:
        await metadata.create(upload)
    await store(storage, an_upload("a-unfinished"), DATA)
    await metadata.close()
    await storage.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    asyncio.run(_fill(tmp_path, UPLOADS))
    return tmp_path


def listed(run: Run, folder: Path, *flags: str) -> Any:  # noqa: ANN401 - JSON
    done = run("list", "--data-dir", str(folder), "--json", *flags)
    assert (0, "") == (done.exit_code, done.stderr)
    return json.loads(done.stdout)


def ids(run: Run, folder: Path, *flags: str) -> str:
    """The first letters of the ids."""
    return "".join(upload["id"][0] for upload in listed(run, folder, *flags))


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ((), "abcde"),
        (("--unfinished",), "ace"),
        (("--finished",), "bd"),
        (("--expired",), "cd"),
        (("--expired", "--unfinished"), "c"),
        (("--subject", "alice"), "ac"),
        (("--subject", "nobody"), ""),
        (("--limit", "2"), "ab"),
        (("--after", "b-finished", "--limit", "2"), "cd"),
        (("--after", "z"), ""),
    ],
)
def test_filters_choose(run: Run, folder: Path, flags: tuple[str, ...], wanted: str) -> None:
    assert wanted == ids(run, folder, *flags)


@pytest.mark.parametrize("at_once", [1, 2, 5])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9])
def test_pages_join_without_a_seam(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, limit: int
) -> None:
    monkeypatch.setattr(listing, "_AT_ONCE", at_once)

    assert "abcde"[:limit] == ids(run, folder, "--limit", str(limit))
    assert "abcde" == ids(run, folder)


def test_programs_can_rely_on_these_names(run: Run, folder: Path) -> None:
    (upload, *_) = listed(run, folder)

    assert {
        "id": "a-unfinished",
        "kind": "plain",
        "state": "unfinished",
        "offset": 10,
        "length": 10,
        "max_length": None,
        "subject": "alice",
        "metadata": {"filename": "café", "raw": "\ufffd"},
        "raw_metadata": NAMED,
        "parts": [],
        "path": upload["path"],
        "created_at": upload["created_at"],
        "expires_at": "2255-03-14T16:00:00Z",
        "finished_at": None,
    } == upload


def test_each_upload_is_a_line_for_people(run: Run, folder: Path) -> None:
    done = run("list", "--data-dir", str(folder))
    head, *rows = (line.split() for line in done.stdout.splitlines())

    assert ["ID", "STATE", "OFFSET", "LENGTH", "CREATED", "SUBJECT", "NAME"] == head
    assert ["a-unfinished", "unfinished", "10", "10"] == rows[0][:4]
    assert ["alice", "café"] == rows[0][5:]
    assert ["unfinished", "finished", "expired", "expired", "unfinished"] == [r[1] for r in rows]


def test_what_clients_sent_moves_no_cursor(run: Run, tmp_path: Path) -> None:
    evil = format_metadata({"filename": b"\x1b[2J\n"})
    asyncio.run(_fill(tmp_path, [an_upload("x", metadata=evil, subject="\x1b[1m")]))

    for command in (("list",), ("inspect", "x")):
        shown = run(*command, "--data-dir", str(tmp_path)).stdout
        assert "\x1b" not in shown
        assert "\\x1b[2J" in shown


def test_all_of_one_upload_is_told(run: Run, folder: Path) -> None:
    done = run("inspect", "a-unfinished", "--data-dir", str(folder), "--json")
    told = json.loads(done.stdout)

    assert (10, None) == (told["stored"], told["file"])
    assert listed(run, folder)[0].items() <= told.items()
    finished = json.loads(run("inspect", "b-finished", "--data-dir", str(folder), "--json").stdout)
    assert str(folder / "files" / finished["path"]) == finished["file"]
    shown = run("inspect", "a-unfinished", "--data-dir", str(folder)).stdout
    assert {"stored       10", "subject      alice"} <= {*shown.splitlines()}


def test_nothing_is_changed(run: Run, folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}

    listed(run, folder)
    run("inspect", "a-unfinished", "--data-dir", str(folder))

    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_an_upload_that_is_not_there_is_exit_code_1(run: Run, folder: Path) -> None:
    done = run("inspect", "nobody", "--data-dir", str(folder))

    assert (1, "", "There is no upload nobody.\n") == (done.exit_code, done.stdout, done.stderr)


@pytest.mark.parametrize("command", [("list",), ("inspect", "a"), ("rm", "a")])
def test_a_folder_without_a_database_is_exit_code_1(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = run(*command, "--data-dir", str(tmp_path / "typo"))

    assert (1, 1) == (done.exit_code, len(done.stderr.splitlines()))
    assert str(tmp_path / "typo" / "tus.db") in done.stderr
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (("--limit", "x"), '--limit: "x" is not a whole number.'),
        (("--limit", "0"), "--limit: Give a number from 1 on."),
        (("--finished", "--unfinished"), "--finished: This and --unfinished leave nothing."),
        (("--expird",), "--expird: There is no such setting. Did you mean --expired?"),
        (("--port", "1"), "--port: There is no such setting."),
    ],
)
def test_bad_input_is_exit_code_2(
    run: Run, folder: Path, flags: tuple[str, ...], problem: str
) -> None:
    done = run("list", "--data-dir", str(folder), *flags)

    assert (2, "", [problem]) == (done.exit_code, done.stdout, done.stderr.splitlines())


def test_a_database_of_an_older_version_is_left_to_a_server(run: Run, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "tus.db")) as connection:
        connection.execute("PRAGMA user_version = 1")

    done = run("list", "--data-dir", str(tmp_path))

    assert 1 == done.exit_code
    assert "start the server once" in done.stderr


def test_a_reader_that_has_had_enough_is_no_failure(tmp_path: Path) -> None:
    many = [an_upload(f"{number:05}") for number in range(5000)]
    asyncio.run(_fill(tmp_path, many))
    command = [sys.executable, "-m", "tusd_py", "list", "--json", "--data-dir", str(tmp_path)]
    reading, writing = os.pipe()

    with subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE) as process:
        os.close(writing)
        assert b"[" == os.read(reading, 1)
        os.close(reading)
        assert process.stderr is not None
        assert b"" == process.stderr.read()
