"""SIGKILL for workers, and for all processes at once, while many clients upload.

Apart from the kills of a single process: both take minutes, and files are tested beside each other.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kills import seed, survive

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_workers_that_are_killed_again_and_again_lose_nothing(data_dir: Path) -> None:
    survive(data_dir, 80, seed(), processes=2)
