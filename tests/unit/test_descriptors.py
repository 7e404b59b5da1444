"""How many open files a start asks for."""

import pytest

from tusd_py.serving.descriptors import FEWEST, Plan, TooFewDescriptors, plan_descriptors


def test_the_limit_is_raised_to_what_the_settings_need() -> None:
    assert Plan(128 + 3 * 1000) == plan_descriptors(1024, 1_000_000, 1000)


def test_it_is_never_lowered() -> None:
    assert Plan(50_000) == plan_descriptors(50_000, 1_000_000, 1000)


def test_without_a_limit_of_uploads_it_is_as_high_as_it_gets() -> None:
    assert Plan(1_000_000) == plan_descriptors(1024, 1_000_000, None)


def test_less_than_needed_is_taken_and_warned_of() -> None:
    plan = plan_descriptors(1024, 4096, 5000)

    assert 4096 == plan.soft
    assert plan.warning is not None
    assert "15128" in plan.warning
    assert "4096" in plan.warning
    assert "lower max_uploads to 1322" in plan.warning


def test_what_is_enough_for_none_is_refused() -> None:
    assert plan_descriptors(FEWEST, FEWEST, 1).warning is None
    with pytest.raises(TooFewDescriptors, match="ulimit"):
        plan_descriptors(FEWEST - 1, FEWEST - 1, 1)
