"""The command line beside a server that is running."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import Wire, created, offset_of, patch_head, wait_until_stored
from tests.support.server import REPOSITORY, ServerProcess, environment

_PATIENCE = 30.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "data", "--durability", "process") as server:
        yield server


def command(server: ServerProcess, *words: str) -> tuple[int, Any]:
    """Run ``tusd-py``; returns the exit code and what its JSON says."""
    done = subprocess.run(
        [sys.executable, "-m", "tusd_py", *words, "--json", "--data-dir", str(server.data_dir)],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def test_what_a_client_does_is_seen_at_once(server: ServerProcess) -> None:
    path = created(server.port, 10)
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 10), b"hello")
        wait_until_stored(server.data_dir, 5)
        code, (upload,) = command(server, "list", "--unfinished")
        _, inspected = command(server, "inspect", upload["id"])

    assert (0, path.rpartition("/")[2], 10) == (code, upload["id"], upload["length"])
    assert 5 == inspected["stored"]
    assert 5 == offset_of(server.port, path)


def test_who_uploads_is_asked_to_leave_before_the_upload_is_removed(server: ServerProcess) -> None:
    path = created(server.port, 10)
    upload_id = path.rpartition("/")[2]
    with Wire(server.port) as holder:
        holder.send(patch_head(path, 10), b"hello")
        wait_until_stored(server.data_dir, 5)
        code, told = command(server, "rm", upload_id, "nobody")
        answer = holder.response()

    assert (423, "close") == (answer.status, answer.headers["connection"])
    problem = "There is no such upload, or it has expired."
    assert (1, {"removed": [upload_id], "problems": {"nobody": problem}}) == (code, told)
    assert [] == [file for file in server.data_dir.glob("uploads/?/?/*") if file.is_file()]
    with Wire(server.port) as wire:
        assert 404 == wire.request("HEAD", path).status
    assert (0, []) == command(server, "list")


def test_a_finished_upload_is_removed_with_its_file(server: ServerProcess) -> None:
    with Wire(server.port) as wire:
        wire.request(
            "POST",
            "/files/",
            b"hello",
            upload_length="5",
            content_type="application/offset+octet-stream",
        )
    _, (upload,) = command(server, "list", "--finished")
    file = Path(command(server, "inspect", upload["id"])[1]["file"])
    assert b"hello" == file.read_bytes()

    assert (0, {"removed": [upload["id"]], "problems": {}}) == command(server, "rm", upload["id"])
    assert not file.exists()
