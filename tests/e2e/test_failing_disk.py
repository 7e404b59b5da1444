"""A disk that fails now and then: what was acknowledged is safe, and others are unharmed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.power.machine import Power, PoweredServer, mounted
from tests.e2e.power.workload import TYPE, path_of, stored
from tests.support.live import Wire, WireResponse

DATA = b"hello world"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PoweredServer]:
    with mounted(tmp_path / "disk") as power, PoweredServer(power) as server:
        yield server


@pytest.fixture
def power(server: PoweredServer) -> Power:
    return server.power


def created(wire: Wire) -> str:
    """An upload of ``DATA`` that has its first five bytes."""
    headers = {"upload_length": "11", "content_type": TYPE}
    return path_of(wire.request("POST", "/files/", DATA[:5], **headers))


def patched(wire: Wire, path: str, offset: int, data: bytes) -> WireResponse:
    return wire.request("PATCH", path, data, upload_offset=str(offset), content_type=TYPE)


def failure(answer: WireResponse) -> tuple[int, object]:
    return answer.status, json.loads(answer.body)["code"]


def offset_of(wire: Wire, path: str) -> int:
    answer = wire.request("HEAD", path)
    assert 200 == answer.status
    return int(answer.headers["upload-offset"])


@pytest.mark.parametrize("call", ["write", "sync"])
def test_what_failed_does_not_count_and_what_comes_then_is_safe(
    server: PoweredServer, power: Power, call: str
) -> None:
    with Wire(server.port) as wire:
        path, other = created(wire), created(wire)
        power.fail(call, path.rpartition("/")[2])

        assert (500, "storage-error") == failure(patched(wire, path, 5, DATA[5:8]))
        assert 204 == patched(wire, other, 5, DATA[5:]).status
        assert 5 == offset_of(wire, path)
        assert 204 == patched(wire, path, 5, DATA[5:9]).status
        assert 204 == patched(wire, path, 9, DATA[9:]).status
    power.cut()
    server.boot_again()

    with Wire(server.port) as wire:
        assert [DATA, DATA] == [stored(wire, path), stored(wire, other)]


# The log is synced with each commit, the database when the log is copied into it: 1,000 pages on.
@pytest.mark.parametrize(("name", "commits"), [("tus.db-wal", 1), ("tus.db", 400)])
def test_a_database_that_could_not_be_synced_goes_on_and_what_is_told_then_is_safe(
    server: PoweredServer, power: Power, name: str, commits: int
) -> None:
    with Wire(server.port) as wire:
        before = created(wire)
        power.fail("sync", name)
        refused = patched(wire, before, 5, DATA[5:8])
        others = [created(wire) for _ in range(commits)]
        told = offset_of(wire, before)
        assert power.failed()
    if name == "tus.db-wal":
        assert (500, "metadata-error") == failure(refused)
    power.cut()
    server.boot_again()

    with Wire(server.port) as wire:
        assert 8 == told == offset_of(wire, before)
        assert {5} == {offset_of(wire, other) for other in others}
