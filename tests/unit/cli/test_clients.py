"""``tusd-py clients`` lists, shows and forgets what is known of clients."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.unit.cli.fakes import Run
from tusd_py.metadata.sqlite import SQLiteMetadata
from tusd_py.network.clients import SeenInterface
from tusd_py.network.trend import Trend
from tusd_py.testing.clients import a_client

ALICE = a_client(
    "subject:alice",
    transfers=7,
    downloads=2,
    reliability=0.75,
    rate=Trend(2_500_000.4, -10.0),
    latency=Trend(0.0404),
    download_rate=3_000_000.0,
    jitter=0.01,
    loss=0.0,
    interfaces=(SeenInterface("eth0", "ethernet", 5), SeenInterface("wlan0", "wifi", 2)),
)
STRANGE = a_client("subject:\x1b[2J")
MANY = [a_client(f"subject:{number:04}") for number in range(600)]


@pytest.fixture
def data_dir(tmp_path: Path) -> str:
    """A folder with the database of a server that remembers clients."""

    async def fill() -> None:
        metadata = SQLiteMetadata(tmp_path / "tus.db")
        await metadata.start(durable=False)
        await metadata.clients.keep([ALICE, STRANGE])
        await metadata.close()

    asyncio.run(fill())
    return str(tmp_path)


def keys(run: Run, data_dir: str) -> list[str]:
    done = run("clients", "list", "--json", "--data-dir", data_dir)
    return [each["key"] for each in json.loads(done.stdout)]


def test_a_table_for_people(run: Run, data_dir: str) -> None:
    done = run("clients", "list", "--data-dir", data_dir)

    assert (0, "") == (done.exit_code, done.stderr)
    assert [
        ["KEY", "SEEN", "TRANSFERS", "RELIABILITY", "RATE", "LATENCY", "CHUNK"],
        ["subject:\\x1b[2J", "2027-01-15T08:00:00Z", "0", "-", "-", "-", "2000000"],
        ["subject:alice", "2027-01-15T08:00:00Z", "7", "75%", "2.50 MB/s", "40.4ms", "512000"],
    ] == [re.split(" {2,}", line) for line in done.stdout.splitlines()]


def test_json_for_programs(run: Run, data_dir: str) -> None:
    done = run("clients", "show", "subject:alice", "--json", "--data-dir", data_dir)

    assert {
        "key": "subject:alice",
        "first_seen": "2027-01-15T08:00:00Z",
        "last_seen": "2027-01-15T08:00:00Z",
        "transfers": 7,
        "downloads": 2,
        "reliability": 0.75,
        "rate": 2_500_000,
        "latency": 0.0404,
        "jitter": 0.01,
        "loss": 0.0,
        "score": 0.959,
        "download_rate": 3_000_000,
        "chunk_size": 512_000,
        "interfaces": [
            {"name": "eth0", "kind": "ethernet", "times": 5},
            {"name": "wlan0", "kind": "wifi", "times": 2},
        ],
    } == json.loads(done.stdout)


def test_one_client_for_people(run: Run, data_dir: str) -> None:
    lines = run("clients", "show", "subject:alice", "--data-dir", data_dir).stdout.splitlines()

    assert "interfaces     eth0 (ethernet): 5, wlan0 (wifi): 2" in lines
    strange = run("clients", "show", "subject:\x1b[2J", "--data-dir", data_dir).stdout
    assert "rate           -" in strange.splitlines()
    assert "\x1b" not in strange


def test_the_ones_named_are_forgotten(run: Run, data_dir: str) -> None:
    done = run("clients", "forget", "subject:alice", "--data-dir", data_dir)

    assert (0, "Forgotten: 1 client.\n") == (done.exit_code, done.stdout)
    assert [STRANGE.key] == keys(run, data_dir)


def test_all_are_forgotten(run: Run, data_dir: str) -> None:
    done = run("clients", "forget", "--all", "--json", "--data-dir", data_dir)

    assert (0, {"forgotten": 2}) == (done.exit_code, json.loads(done.stdout))
    assert [] == keys(run, data_dir)
    assert "" == run("clients", "list", "--data-dir", data_dir).stdout


@pytest.mark.parametrize("command", ["show", "forget"])
def test_a_client_that_is_not_there_is_exit_code_1(run: Run, data_dir: str, command: str) -> None:
    done = run("clients", command, "subject:bob\x1b", "--data-dir", data_dir)

    assert (1, "There is no client subject:bob\\x1b.\n") == (done.exit_code, done.stderr)


@pytest.mark.parametrize("what", [(), ("subject:alice", "--all")])
def test_it_must_be_clear_what_to_forget(run: Run, data_dir: str, what: tuple[str, ...]) -> None:
    done = run("clients", "forget", *what, "--data-dir", data_dir)

    assert (2, "Name the clients by their keys, or all with --all.\n") == (
        done.exit_code,
        done.stderr,
    )
    assert 2 == len(keys(run, data_dir))


@pytest.mark.parametrize("command", [("list",), ("show", "a"), ("forget", "a")])
def test_a_folder_without_a_database_is_exit_code_1(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = run("clients", *command, "--data-dir", str(tmp_path / "typo"))

    assert (1, 1) == (done.exit_code, len(done.stderr.splitlines()))
    assert not (tmp_path / "typo").exists()


def test_all_of_many_are_listed(run: Run, tmp_path: Path) -> None:
    async def fill() -> None:
        metadata = SQLiteMetadata(tmp_path / "tus.db")
        await metadata.start(durable=False)
        await metadata.clients.keep(MANY)
        await metadata.close()

    asyncio.run(fill())

    assert [each.key for each in MANY] == keys(run, str(tmp_path))
