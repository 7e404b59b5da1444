"""``tusd-py verify`` says where database and files differ; ``serve`` needs both or neither."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.unit.cli.fakes import FakeServer, Run
from tusd_py.metadata.sqlite import SQLiteMetadata
from tusd_py.protocol.upload import Upload
from tusd_py.storage.filesystem import FileStorage
from tusd_py.testing.storage import DATA, publish, store
from tusd_py.testing.uploads import CREATED_AT, an_upload

FINISHED = an_upload("finished", offset=10, finished_at=CREATED_AT)


async def _fill(folder: Path) -> None:
    storage, metadata = FileStorage(folder), SQLiteMetadata(folder / "tus.db")
    await storage.start(durable=False)
    await metadata.start(durable=False)
    for upload in (an_upload("unfinished", offset=10), an_upload("empty"), FINISHED):
        await metadata.create(upload)
    await store(storage, an_upload("unfinished"), DATA)
    await store(storage, an_upload("finished"), DATA)
    await publish(storage, an_upload("finished", offset=10))
    await metadata.close()
    await storage.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an unfinished upload, one without bytes, and a finished one."""
    asyncio.run(_fill(tmp_path))
    return tmp_path


def working(folder: Path, upload: Upload) -> Path:
    return Path(FileStorage(folder)._working(upload))


def test_nothing_to_say_of_what_is_whole(run: Run, folder: Path) -> None:
    done = run("verify", "--data-dir", str(folder))
    assert (0, "0 differences.\n") == (done.exit_code, done.stdout)


def test_every_difference_is_a_line(run: Run, folder: Path) -> None:
    working(folder, an_upload("unfinished")).write_bytes(DATA[:4])
    (folder / "files/finished/finished").rename(folder / "files/finished/other")
    working(folder, an_upload("unfinished")).with_name("unknown").write_bytes(b"")
    before = sorted(folder.rglob("*"))

    done = run("verify", "--data-dir", str(folder))

    assert 1 == done.exit_code
    assert [
        "Finished file finished/other: nothing is recorded of it.",
        "Unfinished file unknown: nothing is recorded of it.",
        "Upload finished: 10 bytes are recorded, 0 are stored.",
        "Upload unfinished: 10 bytes are recorded, 4 are stored.",
        "4 differences.",
    ] == done.stdout.splitlines()
    assert before == sorted(folder.rglob("*"))


def test_programs_get_the_differences_as_json(run: Run, folder: Path) -> None:
    working(folder, an_upload("unfinished")).write_bytes(DATA[:4])

    done = run("verify", "--json", "--data-dir", str(folder))

    told = ["Upload unfinished: 10 bytes are recorded, 4 are stored."]
    assert (1, {"differences": told}) == (done.exit_code, json.loads(done.stdout))


def test_a_second_name_of_a_finished_upload_is_no_difference(run: Run, folder: Path) -> None:
    second = working(folder, FINISHED)
    second.hardlink_to(folder / "files/finished/finished")

    assert 0 == run("verify", "--data-dir", str(folder)).exit_code
    assert second.exists()


def test_without_a_database_there_is_nothing_to_compare(run: Run, tmp_path: Path) -> None:
    done = run("verify", "--data-dir", str(tmp_path))
    assert (1, 1) == (done.exit_code, len(done.stderr.splitlines()))
    assert str(tmp_path / "tus.db") in done.stderr
    assert [] == [*tmp_path.iterdir()]


@pytest.mark.parametrize("database", ["missing", "empty"])
@pytest.mark.parametrize("left", ["uploads", "files"])
def test_the_server_does_not_begin_anew_beside_files(
    run: Run, server: FakeServer, folder: Path, database: str, left: str
) -> None:
    (folder / "tus.db").unlink()
    if database == "empty":
        (folder / "tus.db").touch()
    (folder / {"uploads": "files", "files": "uploads"}[left]).rename(folder / "elsewhere")

    done = run("serve", "--data-dir", str(folder))

    assert (1, []) == (done.exit_code, server.served)
    assert done.stderr == (
        f"The database {folder / 'tus.db'} is missing, but there are files in {folder / left}. "
        "Restore the database, or move the files away.\n"
    )


def test_the_server_begins_in_empty_folders(run: Run, server: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "uploads/0/0").mkdir(parents=True)
    (tmp_path / "files/2026").mkdir(parents=True)

    assert 0 == run("serve", "--data-dir", str(tmp_path)).exit_code
    assert 1 == len(server.served)
