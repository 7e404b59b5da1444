"""SIGKILL while many clients upload: nothing acknowledged is lost, and nothing else is left."""

from pathlib import Path

import pytest

from tests.support.kills import seed, survive

KILLS = 15


@pytest.mark.slow
def test_a_server_that_is_killed_at_random_loses_nothing_that_it_acknowledged(
    tmp_path: Path,
) -> None:
    survive(tmp_path / "data", KILLS, seed())
