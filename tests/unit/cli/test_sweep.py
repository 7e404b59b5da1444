"""``tusd-py sweep`` removes expired uploads once."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.unit.cli.fakes import Run
from tusd_py.config import Settings


class FakeApp:
    """An app with a number of expired uploads."""

    def __init__(self, expired: int) -> None:
        self.expired = expired
        self.log: list[str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.log.append("started")
        yield
        self.log.append("closed")

    async def sweep(self) -> int:
        await asyncio.sleep(0)
        self.log.append("swept")
        return self.expired


@pytest.mark.parametrize(
    ("expired", "line"),
    [
        (0, "Removed 0 expired uploads.\n"),
        (1, "Removed 1 expired upload.\n"),
        (7, "Removed 7 expired uploads.\n"),
    ],
)
def test_the_number_of_removed_uploads_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expired: int, line: str
) -> None:
    app, built = FakeApp(expired), list[Settings]()

    def build_app(settings: Settings) -> FakeApp:
        built.append(settings)
        return app

    monkeypatch.setattr("tusd_py.cli.app.build_app", build_app)
    done = run("sweep", "--data-dir", str(tmp_path))
    assert (0, line) == (done.exit_code, done.stdout)
    assert ["started", "swept", "closed"] == app.log
    assert [(tmp_path, 0)] == [(s.data_dir, s.app.sweep_interval) for s in built]


def test_a_folder_without_uploads_is_swept(run: Run, tmp_path: Path) -> None:
    done = run("sweep", "--data-dir", str(tmp_path))
    assert (0, "Removed 0 expired uploads.\n") == (done.exit_code, done.stdout)


def test_programs_get_the_number_as_json(run: Run, tmp_path: Path) -> None:
    done = run("sweep", "--json", "--data-dir", str(tmp_path))
    assert (0, {"removed": 0}) == (done.exit_code, json.loads(done.stdout))


def test_the_servers_file_of_settings_will_do(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "tusd.toml"
    file.write_text(f'data_dir = "{tmp_path.as_posix()}"\nport = 80\nmax_size = "5GB"\n')
    assert 0 == run("sweep", "--config", str(file)).exit_code


def test_a_folder_that_is_not_there_is_not_made(run: Run, tmp_path: Path) -> None:
    done = run("sweep", "--data-dir", str(tmp_path / "typo"))
    assert 1 == done.exit_code
    assert str(tmp_path / "typo") in done.stderr
    assert not (tmp_path / "typo").exists()


def test_a_flag_that_only_the_server_has_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("sweep", "--data-dir", str(tmp_path), "--port", "80")
    assert 2 == done.exit_code
    assert done.stderr.startswith("--port: ")


def test_a_database_of_a_newer_version_is_left_alone(run: Run, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "tus.db") as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    done = run("sweep", "--data-dir", str(tmp_path))
    assert 1 == done.exit_code
    assert 1 == len(done.stderr.splitlines())
    assert "schema 999" in done.stderr


def test_a_file_that_is_no_database_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tus.db").write_bytes(b"no database at all, but long enough to be looked at" * 99)
    done = run("sweep", "--data-dir", str(tmp_path))
    assert 1 == done.exit_code
    assert 1 == len(done.stderr.splitlines())
    assert str(tmp_path) in done.stderr
