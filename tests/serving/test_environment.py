"""A server whose folder or database is taken away, damaged or locked: it says so, plainly."""

import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.live import Wire, WireResponse
from tests.support.server import REPOSITORY, ServerProcess
from tests.support.tools import run_tool

TYPE = {"content_type": "application/offset+octet-stream"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "data") as server:
        yield server


def created(wire: Wire, body: bytes) -> str:
    """An upload of five bytes that has some of them."""
    answer = wire.request("POST", "/files/", body, upload_length="5", **TYPE)
    assert 201 == answer.status
    return "/" + answer.headers["location"].split("/", 3)[3]


def every_request(wire: Wire, path: str, finished: str) -> list[WireResponse]:
    return [
        wire.request("PATCH", path, b"llo", upload_offset="2", **TYPE),
        wire.request("POST", "/files/", upload_length="5"),
        wire.request("POST", "/files/", b"hello", upload_length="5", **TYPE),
        wire.request("GET", finished),
        wire.request("DELETE", path),
    ]


def code(answer: WireResponse) -> object:
    return json.loads(answer.body)["code"]


def test_a_folder_that_vanishes_is_noticed_and_not_made_again(server: ServerProcess) -> None:
    with Wire(server.port) as wire:
        path, finished = created(wire, b"he"), created(wire, b"hello")
        shutil.rmtree(server.data_dir)

        answers = every_request(wire, path, finished)
        heads = [wire.request("HEAD", url) for url in (path, finished)]

    assert {"metadata-unavailable", "storage-error"} >= {code(answer) for answer in answers}
    assert {500, 503} >= {answer.status for answer in answers}
    assert [423, 423] == [answer.status for answer in heads]
    assert not server.data_dir.exists()


def test_a_folder_that_comes_back_is_used_again(server: ServerProcess) -> None:
    elsewhere = server.data_dir.with_name("elsewhere")
    with Wire(server.port) as wire:
        path = created(wire, b"he")
        server.data_dir.rename(elsewhere)
        gone = wire.request("HEAD", path)
        elsewhere.rename(server.data_dir)

        assert 423 == gone.status
        assert 204 == wire.request("PATCH", path, b"llo", upload_offset="2", **TYPE).status
        assert b"hello" == wire.request("GET", path).body


@pytest.mark.parametrize(("folder", "length"), [("uploads", "9"), ("files", "5")])
def test_folders_of_files_that_vanish_are_not_made_again_either(
    server: ServerProcess, folder: str, length: str
) -> None:
    with Wire(server.port) as wire:
        path = created(wire, b"he")
        server.stop()
    with server, Wire(server.port) as wire:
        shutil.rmtree(server.data_dir / folder)

        answers = [
            wire.request("POST", "/files/", b"hello", upload_length=length, **TYPE),
            wire.request("PATCH", path, b"llo", upload_offset="2", **TYPE),
        ]
        found = wire.request("HEAD", path)

    assert [500, 500] == [answer.status for answer in answers]
    assert ["storage-error"] * 2 == [code(answer) for answer in answers]
    assert 423 == found.status
    assert not (server.data_dir / folder).exists()


def test_small_uploads_wait_for_the_folder_that_keeps_track_of_them(server: ServerProcess) -> None:
    folder = server.data_dir / "processes"
    with Wire(server.port) as wire:
        small = {"upload_length": "5", **TYPE}
        kept = wire.request("POST", "/files/", b"hello", **small)
        shutil.rmtree(folder)
        refused = wire.request("POST", "/files/", b"hello", **small)
        assert not folder.exists()
        folder.mkdir()
        back = wire.request("POST", "/files/", b"hello", **small)

    assert [201, 500, 201] == [kept.status, refused.status, back.status]


def test_a_database_that_another_process_locks_is_waited_for(server: ServerProcess) -> None:
    with Wire(server.port) as wire:
        path = created(wire, b"he")
        with closing(sqlite3.connect(server.data_dir / "tus.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            patched = wire.request("PATCH", path, b"ll", upload_offset="2", **TYPE)
            found = wire.request("HEAD", path)
        again = wire.request("HEAD", path)

    assert (503, "metadata-unavailable") == (patched.status, code(patched))
    assert [423, 200] == [found.status, again.status]
    assert "4" == again.headers["upload-offset"]


def garbage(database: Path) -> None:
    database.write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)


def half(database: Path) -> None:
    whole = database.read_bytes()
    database.write_bytes(whole[: len(whole) // 2])


def no_schema(database: Path) -> None:
    content = bytearray(database.read_bytes())
    content[100:4096] = b"\xff" * 3996
    database.write_bytes(content)


@pytest.mark.parametrize("damage", [garbage, half, no_schema])
def test_a_damaged_database_is_said_in_one_sentence_with_exit_1(
    server: ServerProcess, damage: object
) -> None:
    with Wire(server.port) as wire:
        created(wire, b"he")
    server.stop()
    assert callable(damage)
    damage(server.data_dir / "tus.db")
    damaged = (server.data_dir / "tus.db").read_bytes()

    ended = server.run_to_its_end()

    assert 1 == ended.returncode
    assert ended.stderr.startswith("The database in ")
    assert 1 == len(ended.stderr.splitlines())
    assert damaged == (server.data_dir / "tus.db").read_bytes()


def test_a_locked_database_at_the_start_is_said_in_one_sentence_with_exit_1(
    server: ServerProcess,
) -> None:
    server.stop()
    with closing(sqlite3.connect(server.data_dir / "tus.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")

        ended = server.run_to_its_end()

    assert 1 == ended.returncode
    assert 1 == len(ended.stderr.splitlines())
    assert "locked" in ended.stderr


def test_a_backup_of_a_running_server_can_be_restored(server: ServerProcess) -> None:
    copy = server.data_dir.with_name("copy.db")
    with Wire(server.port) as wire:
        path, finished = created(wire, b"he"), created(wire, b"hello")
        command = [sys.executable, "-m", "tusd_py", "backup", str(copy)]
        told = run_tool([*command, "--data-dir", str(server.data_dir)], cwd=REPOSITORY)
        later = created(wire, b"he")
    server.stop()
    copy.replace(server.data_dir / "tus.db")

    with server, Wire(server.port) as wire:
        assert 204 == wire.request("PATCH", path, b"llo", upload_offset="2", **TYPE).status
        assert [b"hello"] * 2 == [wire.request("GET", url).body for url in (path, finished)]
        assert 404 == wire.request("HEAD", later).status
    assert f"Copied 2 uploads to {copy}.\n" == told
