"""A disk that is full: what fitted is kept, and uploads go on once there is room."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.power.workload import TYPE, path_of, stored
from tests.e2e.samples import KIB, MIB
from tests.support.filesystems import image_mounted, memory_mounted
from tests.support.live import Wire, WireResponse, head
from tests.support.server import ServerProcess

ROOM = 24 * MIB
DATA = random.Random(5).randbytes(16 * MIB)  # noqa: S311 - a test must be repeatable


@pytest.fixture(params=["tmpfs", "ext4"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A small file system."""
    folder = tmp_path / "disk"
    if request.param == "tmpfs":
        with memory_mounted(folder, size=ROOM):
            yield folder
    else:
        with image_mounted(folder, "mkfs.ext4", "-q", "-m", "0", size=ROOM):
            yield folder


@pytest.fixture
def server(disk: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(disk / "data")
    server.log_file = tmp_path / "server.log"
    with server:
        yield server


def fill(disk: Path, left: int) -> Path:
    """Leave so many bytes of room, with a file to be removed."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(64 * KIB))
        except OSError:
            file.truncate(file.tell() - left)
    return ballast


def created(wire: Wire, **headers: str) -> str:
    answer = wire.request("POST", "/files/", b"", **headers)
    assert 201 == answer.status, answer
    return path_of(answer)


def patched(port: int, path: str, offset: int, body: bytes, **headers: str) -> WireResponse:
    """Send a body, of which the server may not take all."""
    with Wire(port) as wire:
        top = {"upload_offset": str(offset), "content_type": TYPE, **headers}
        wire.send(head("PATCH", path, content_length=str(len(body)), **top))
        with suppress(ConnectionError):
            wire.send(body)
        return wire.response()


def offset_of(wire: Wire, path: str) -> int:
    answer = wire.request("HEAD", path)
    assert 200 == answer.status, answer
    return int(answer.headers["upload-offset"])


def code(answer: WireResponse) -> object:
    return json.loads(answer.body)["code"]


# The database needs room too: it is what finds that there is none for what fitted exactly.
@pytest.mark.parametrize("left", [0, 8 * KIB])
def test_without_any_room_every_request_has_its_answer(
    server: ServerProcess, disk: Path, left: int
) -> None:
    small, half = DATA[:20_000], DATA[:6000]
    with Wire(server.port) as wire:
        first = created(wire, upload_length="20000")
        second = created(wire, upload_length="20000")
        done = path_of(wire.request("POST", "/files/", b"x", upload_length="1", content_type=TYPE))
        ballast = fill(disk, left)

        # The first requests may still find room in what the file system or the database has of it.
        squeezed = [patched(server.port, path, 0, half) for path in (first, second)]
        refused = [wire.request("POST", "/files/", upload_length="1") for _ in range(100)][-1:]
        kept = [offset_of(wire, path) for path in (first, second)]
        read = stored(wire, done)
        ballast.unlink()

        assert {answer.status for answer in squeezed} <= {204, 507}
        assert {(507, "storage-full")} == {(answer.status, code(answer)) for answer in refused}
        assert b"x" == read
        for path, offset in zip((first, second), kept, strict=True):
            assert 204 == patched(server.port, path, offset, small[offset:]).status
            assert small == stored(wire, path)


def test_terminating_makes_room(server: ServerProcess, disk: Path) -> None:
    with Wire(server.port) as wire:
        large = created(wire, upload_length=str(4 * MIB))
        assert 204 == patched(server.port, large, 0, DATA[: 4 * MIB - 1]).status
        small = created(wire, upload_length=str(MIB))
        fill(disk, 0)

        assert 507 == patched(server.port, small, 0, DATA[:MIB]).status
        assert 204 == wire.request("DELETE", large).status
        offset = offset_of(wire, small)
        assert 204 == patched(server.port, small, offset, DATA[offset:MIB]).status


@pytest.mark.parametrize("left", [2 * MIB, 3 * MIB + 777, 5 * MIB])
def test_what_fitted_is_kept_and_the_upload_goes_on(
    server: ServerProcess, disk: Path, left: int
) -> None:
    with Wire(server.port) as wire:
        path = created(wire, upload_defer_length="1")
        other = created(wire, upload_length=str(len(DATA)))
        ballast = fill(disk, left)

        refused = patched(server.port, path, 0, DATA, upload_length=str(len(DATA)))
        kept = offset_of(wire, path)
        ballast.unlink()

        assert (507, "storage-full") == (refused.status, code(refused))
        assert left - MIB < kept < left + MIB, (kept, left)
        assert 204 == patched(server.port, path, kept, DATA[kept:]).status
        assert DATA == stored(wire, path)
        assert 0 == offset_of(wire, other)
