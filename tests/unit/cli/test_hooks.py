"""``tusd-py hooks`` lists, retries and drops what was not told yet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.cli.fakes import Run
from tusd_py.metadata import Event
from tusd_py.metadata.sqlite import SQLiteMetadata
from tusd_py.testing.outbox import an_event
from tusd_py.testing.uploads import an_upload

EVENTS = (
    an_event("e1", created_at=1_800_000_000.0, attempts=3, due_at=1_800_000_060.0, error="No."),
    an_event("e2", name="post-finish", created_at=1_800_000_001.0),
    an_event("e3", created_at=1_800_000_002.0, attempts=30, dead=True, error="It was 404."),
)


@pytest.fixture
def data_dir(tmp_path: Path) -> str:
    """A folder with the database of a server that has some events to tell."""

    async def fill() -> None:
        metadata = SQLiteMetadata(tmp_path / "tus.db")
        await metadata.start(durable=False)
        await metadata.create(an_upload("one"), events=EVENTS)
        await metadata.close()

    asyncio.run(fill())
    return str(tmp_path)


def left(data_dir: str) -> Sequence[Event]:
    async def read() -> Sequence[Event]:
        metadata = SQLiteMetadata(Path(data_dir) / "tus.db")
        await metadata.start(durable=False)
        events = await metadata.events(10)
        await metadata.close()
        return events

    return asyncio.run(read())


def test_a_table_for_people(run: Run, data_dir: str) -> None:
    done = run("hooks", "list", "--data-dir", data_dir)

    assert (0, "") == (done.exit_code, done.stderr)
    assert [
        "ID  HOOK         UPLOAD  STATE    ATTEMPTS  SINCE                      ERROR",
        "e1  post-create  one     waiting  3         2027-01-15T08:00:00+00:00  No.",
        "e2  post-finish  one     waiting  0         2027-01-15T08:00:01+00:00  -",
        "e3  post-create  one     dead     30        2027-01-15T08:00:02+00:00  It was 404.",
    ] == done.stdout.splitlines()


def test_json_for_programs(run: Run, data_dir: str) -> None:
    done = run("hooks", "list", "--json", "--data-dir", data_dir)

    listed = json.loads(done.stdout)
    assert {
        "id": "e1",
        "hook": "post-create",
        "upload": "one",
        "state": "waiting",
        "attempts": 3,
        "since": "2027-01-15T08:00:00+00:00",
        "due": "2027-01-15T08:01:00+00:00",
        "error": "No.",
    } == listed[0]
    assert [("e1", "waiting"), ("e2", "waiting"), ("e3", "dead")] == [
        (each["id"], each["state"]) for each in listed
    ]


def test_the_dead_alone(run: Run, data_dir: str) -> None:
    done = run("hooks", "list", "--dead", "--json", "--data-dir", data_dir)

    assert ["e3"] == [each["id"] for each in json.loads(done.stdout)]


def test_nothing_to_list(run: Run, data_dir: str) -> None:
    run("hooks", "drop", "e1", "e2", "e3", "--data-dir", data_dir)

    assert "" == run("hooks", "list", "--data-dir", data_dir).stdout
    assert "[]\n" == run("hooks", "list", "--json", "--data-dir", data_dir).stdout


def test_more_than_a_page(run: Run, data_dir: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tusd_py.cli.hooks._PAGE", 2)
    done = run("hooks", "list", "--json", "--data-dir", data_dir)

    assert 3 == len(json.loads(done.stdout))


def test_all_that_are_dead_are_told_again(run: Run, data_dir: str) -> None:
    done = run("hooks", "retry", "--all", "--data-dir", data_dir)

    assert (0, "To be told again: 1 event.\n") == (done.exit_code, done.stdout)
    assert [(3, False), (0, False), (0, False)] == [
        (event.attempts, event.dead) for event in left(data_dir)
    ]


def test_one_that_waits_is_told_at_once(run: Run, data_dir: str) -> None:
    done = run("hooks", "retry", "e1", "--data-dir", data_dir)

    assert (0, "To be told again: 1 event.\n") == (done.exit_code, done.stdout)
    first = left(data_dir)[0]
    assert (0, 0.0, "No.") == (first.attempts, first.due_at, first.error)


def test_what_is_dropped_is_gone(run: Run, data_dir: str) -> None:
    done = run("hooks", "drop", "e1", "e3", "--data-dir", data_dir)

    assert (0, "Dropped: 2 events.\n") == (done.exit_code, done.stdout)
    assert ["e2"] == [event.id for event in left(data_dir)]


def test_all_that_are_dead_are_dropped(run: Run, data_dir: str) -> None:
    run("hooks", "drop", "--all", "--data-dir", data_dir)

    assert ["e1", "e2"] == [event.id for event in left(data_dir)]


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_one_that_is_not_there_is_said_and_the_others_are_done(
    run: Run, data_dir: str, command: str
) -> None:
    done = run("hooks", command, "e9", "e3", "--data-dir", data_dir)

    assert (1, "There is no event e9.\n") == (done.exit_code, done.stderr)
    assert "1 event" in done.stdout


@pytest.mark.parametrize("args", [("retry",), ("drop",), ("drop", "e1", "--all")])
def test_it_has_to_be_clear_which_are_meant(run: Run, data_dir: str, args: tuple[str, ...]) -> None:
    done = run("hooks", *args, "--data-dir", data_dir)

    assert (2, 3) == (done.exit_code, len(left(data_dir)))
    assert "Name the events by their ids, or all that are dead with --all.\n" == done.stderr


def test_no_database_is_made(run: Run, tmp_path: Path) -> None:
    done = run("hooks", "list", "--data-dir", str(tmp_path))

    assert (1, "") == (done.exit_code, done.stdout)
    assert f"There is no database {tmp_path / 'tus.db'}" in done.stderr
    assert [] == [*tmp_path.iterdir()]
