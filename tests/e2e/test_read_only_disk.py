"""A disk that can only be read, from the start or from some moment on."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.power.machine import PoweredServer, mounted
from tests.e2e.power.workload import TYPE, path_of, stored
from tests.support.filesystems import image_mounted, remount
from tests.support.live import Wire
from tests.support.server import ServerProcess

MIB = 2**20


def test_at_the_start_it_is_said_in_one_sentence_with_exit_1(tmp_path: Path) -> None:
    with image_mounted(tmp_path / "disk", "mkfs.ext4", "-q", size=16 * MIB) as disk:
        server = ServerProcess(disk / "data")
        server.log_file = tmp_path / "server.log"
        with server:
            server.stop()
            remount(disk, "ro")
            ended = server.run_to_its_end()

    assert 1 == ended.returncode
    assert "Read-only file system" in ended.stderr
    assert 1 == len(ended.stderr.splitlines())


def test_while_running_what_is_there_can_be_read(tmp_path: Path) -> None:
    with (
        mounted(tmp_path / "disk") as power,
        PoweredServer(power) as server,
        Wire(server.port) as wire,
    ):
        length = {"upload_length": "5", "content_type": TYPE}
        path = path_of(wire.request("POST", "/files/", b"he", **length))
        finished = path_of(wire.request("POST", "/files/", b"hello", **length))
        power.protect()

        refused = [
            wire.request("PATCH", path, b"llo", upload_offset="2", content_type=TYPE),
            wire.request("POST", "/files/", upload_length="5"),
            wire.request("POST", "/files/", b"hello", **length),
            wire.request("DELETE", finished),
        ]
        found, read = wire.request("HEAD", path), stored(wire, finished)

    assert [500] * 4 == [answer.status for answer in refused]
    codes = [json.loads(answer.body)["code"] for answer in refused]
    assert ["storage-error", "metadata-error"] * 2 == codes
    assert found.status in (200, 423)
    assert "2" == found.headers.get("upload-offset", "2")
    assert b"hello" == read
