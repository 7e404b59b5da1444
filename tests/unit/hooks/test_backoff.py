"""The pauses between attempts."""

import pytest

from tusd_py.hooks.backoff import pause_after


@pytest.mark.parametrize(
    ("attempts", "chance", "seconds"),
    [(1, 0, 1), (2, 0, 2), (5, 0, 16), (12, 0, 2048), (13, 0, 3600), (10**9, 0, 3600)],
)
def test_they_grow_to_an_hour(attempts: int, chance: float, seconds: float) -> None:
    assert seconds == pause_after(attempts, chance)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 8.0), (0.5, 6.0), (1.0, 4.0)])
def test_chance_makes_them_shorter_by_half_at_most(chance: float, seconds: float) -> None:
    assert seconds == pause_after(4, chance)
