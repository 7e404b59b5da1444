"""SIGKILL while many clients upload: nothing acknowledged is lost, and nothing else is left."""

from pathlib import Path

import pytest

from tests.support.kills import seed, survive


@pytest.mark.slow
@pytest.mark.parametrize(("processes", "kills"), [(1, 15), (2, 5)])
def test_a_server_that_is_killed_at_random_loses_nothing_that_it_acknowledged(
    tmp_path: Path, processes: int, kills: int, body_flag: str
) -> None:
    survive(tmp_path / "data", kills, seed(), body_flag, processes=processes)
