"""SIGKILL while many clients upload, two hundred times."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kills import seed, survive

KILLS = 200


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A temporary folder that does not outlive the test, for many files come together."""
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_server_that_is_killed_two_hundred_times_loses_nothing(folder: Path) -> None:
    survive(folder / "data", KILLS, seed())
