"""SIGKILL while many clients upload, again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kills import seed, survive

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_server_that_is_killed_again_and_again_loses_nothing(data_dir: Path) -> None:
    survive(data_dir, 200, seed())
