"""SIGKILL while many clients upload, again and again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kills import seed, survive


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A temporary folder that does not outlive the test, for many files come together."""
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("processes", "kills"), [(1, 200), (2, 80)])
def test_a_server_that_is_killed_again_and_again_loses_nothing(
    folder: Path, processes: int, kills: int
) -> None:
    survive(folder / "data", kills, seed(), processes=processes)
