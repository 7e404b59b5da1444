"""What the standalone server remembers of its clients, and what a real kernel says of them."""

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import Wire, created, head, patch_head, uploaded
from tests.support.metrics import scraped
from tests.support.server import ServerProcess
from tests.support.workers import connected, wait_for_workers, wait_until
from tusd_py.quantities import GB, KB, MB

USUAL, CAREFUL = str(2 * MB), str(512 * KB)
KEY = "address:127.0.0.1"
SIZE = 8 * MB
JSON_LOG = ("--log-format", "json")


def clients(server: ServerProcess, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """What the command tells."""
    command = [sys.executable, "-m", "tusd_py", "clients", *arguments, "--json"]
    done = subprocess.run(
        [*command, "--data-dir", str(server.data_dir)], capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout)


def known(server: ServerProcess, transfers: int) -> bool:
    """The client has been written, with so many transfers."""
    return [transfers] == [each["transfers"] for each in clients(server, "list")]


def advice(wire: Wire) -> str | None:
    """What a client is told about a new file that is large."""
    response = wire.request("POST", "/files/", upload_length=str(GB))
    assert 201 == response.status
    return response.headers.get("upload-recommended-chunk-size")


def cut(server: ServerProcess, wire: Wire) -> None:
    """Lose a connection in the middle of a body."""
    path = created(server.port, GB)
    before = server.log_size()
    wire.send(patch_head(path, SIZE), b"x")
    wire.wait_until_arrived()
    wire.reset()
    wait_until(lambda: server.wrote('"status":499', before))


def requests(server: ServerProcess, method: str) -> list[dict[str, Any]]:
    """The lines of the log about requests of a method."""
    lines = (json.loads(line) for line in server.log().splitlines() if line.startswith("{"))
    return [line for line in lines if line.get("method") == method]


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not say")
def test_the_kernel_tells_of_both_directions(tmp_path: Path, body_flag: str) -> None:
    with ServerProcess(tmp_path / "data", *JSON_LOG, body_flag) as server:
        path = created(server.port, SIZE)
        with Wire(server.port) as wire:
            wire.send(patch_head(path, SIZE))
            for _ in range(8):
                wire.send(bytes(SIZE // 8))
                wire.wait_until_arrived()
            assert 204 == wire.response().status
            wire.send(head("GET", path))
            assert SIZE == len(wire.response().body)
            # Of a connection that is closed the kernel tells nothing any more.
            wait_until(lambda: bool(requests(server, "GET")))
        page = scraped(server.port)
        server.restart()
        profile = clients(server, "show", KEY)

    (append,), (download,) = requests(server, "PATCH"), requests(server, "GET")
    assert append["rate"] > 0
    assert 0 < download["rtt"] < 1
    assert {"jitter", "loss", "rate"} <= download.keys()
    assert 1 <= page.get("client_rtt_seconds_count")
    assert (1, 1) == (
        page.get("client_reliability_ratio_count"),
        page.get("client_reliability_ratio_sum"),
    )
    assert (1, 1, 1) == (profile["transfers"], profile["downloads"], profile["reliability"])
    assert 0 < profile["latency"] < 1
    assert 0 < profile["rate"]
    assert 0 < profile["download_rate"]
    assert [{"name": "lo", "kind": "loopback", "times": 1}] == profile["interfaces"]


def test_a_fixed_size_is_that_of_the_interface(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server, Wire(server.port) as wire:
        assert USUAL == advice(wire)
        server.stop()
        config = tmp_path / "server.toml"
        config.write_text('[streaming]\nchunk_adaptation_algorithm = "fixed"\n')
    options = ("--config", str(config))
    with ServerProcess(tmp_path / "data", *options) as server, Wire(server.port) as wire:
        assert str(10 * MB) == advice(wire)


def test_what_one_worker_learned_the_others_know(tmp_path: Path) -> None:
    with (
        ServerProcess(tmp_path / "data", *JSON_LOG, "--workers", "2") as server,
        ExitStack() as stack,
    ):
        wait_for_workers(server, 2)
        one, worker = connected(server, stack)
        cut(server, one)
        wait_until(lambda: known(server, 1))
        # To the one that does not know it the client is the same.
        other, _ = connected(server, stack, elsewhere=worker)
        cut(server, other)
        wait_until(lambda: known(server, 2))

        (profile,) = clients(server, "list")

    assert 0.64 == profile["reliability"]


@pytest.mark.slow
def test_a_running_server_forgets_who_was_forgotten(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", *JSON_LOG) as server:
        for _ in range(2):
            with Wire(server.port) as wire:
                cut(server, wire)
        with Wire(server.port) as wire:
            assert CAREFUL == advice(wire)
            wait_until(lambda: known(server, 2))
            assert {"forgotten": [KEY]} == clients(server, "forget", KEY)
            wait_until(lambda: USUAL == advice(wire))
        assert [] == clients(server, "list")


def test_a_database_that_others_hold_delays_no_answer_and_loses_nothing(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", *JSON_LOG) as server:
        path = created(server.port, GB)
        with Wire(server.port) as wire:
            cut(server, wire)
        wait_until(lambda: known(server, 1))
        with Wire(server.port) as wire:
            cut(server, wire)
        with (
            closing(sqlite3.connect(tmp_path / "data/tus.db", isolation_level=None)) as holder,
            Wire(server.port) as wire,
        ):
            holder.execute("BEGIN IMMEDIATE")
            wait_until(lambda: server.wrote("clients.unavailable", 0))
            began = time.monotonic()
            response = wire.request("HEAD", path)
            seconds = time.monotonic() - began
            holder.execute("ROLLBACK")
        wait_until(lambda: known(server, 2))

    assert (200, CAREFUL) == (
        response.status,
        response.headers["upload-recommended-chunk-size"],
    )
    # What waits for the database waits for a second.
    assert seconds < 0.9


def test_a_profile_outlives_the_server(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", *JSON_LOG) as server:
        for _ in range(2):
            uploaded(server.port, bytes(MB))
        server.restart()
        (profile,) = clients(server, "list")

    assert 2 == profile["transfers"]


def test_a_profile_that_is_broken_is_written_anew(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", *JSON_LOG) as server:
        uploaded(server.port, bytes(MB))
        wait_until(lambda: known(server, 1))
        with closing(sqlite3.connect(tmp_path / "data/tus.db", isolation_level=None)) as database:
            database.execute("UPDATE clients SET interfaces = '{broken'")
        assert [] == clients(server, "list")
        server.restart()
        uploaded(server.port, bytes(MB))
        wait_until(lambda: known(server, 1))
        assert 0 == server.stop()
        assert not server.wrote("background.failed", 0)
