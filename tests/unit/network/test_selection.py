"""Which link is used: good ones, preferred ones, and never a hasty change of mind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.network.health import Limits, Reason
from tusd_py.network.kinds import InterfaceKind
from tusd_py.network.quality import Quality
from tusd_py.network.selection import Candidate, Rules, Selector, Switch

GOOD = Quality(latency=0.02, jitter=0.005, loss=0)
SLOW = Quality(latency=0.6, jitter=0.005, loss=0)
LOSSY = Quality(latency=0.02, jitter=0.005, loss=0.06)
AWFUL = Quality(latency=3, jitter=1, loss=0.6)

ETH0 = Candidate("eth0", InterfaceKind.ETHERNET, usable=True, quality=GOOD)
WLAN0 = Candidate("wlan0", InterfaceKind.WIFI, usable=True, quality=GOOD)
WWAN0 = Candidate("wwan0", InterfaceKind.LTE, usable=True, quality=GOOD)
RULES = Rules(dwell=10, return_after=30)


def at(candidate: Candidate, quality: Quality) -> Candidate:
    return replace(candidate, quality=quality)


def lost(candidate: Candidate) -> Candidate:
    return replace(candidate, usable=False)


def told(switch: Switch | None) -> tuple[str | None, Reason] | None:
    return (switch.after, switch.reason) if switch is not None else None


@pytest.mark.parametrize(
    ("priority", "first"), [((), "eth0"), (("wwan0", "wlan0"), "wwan0"), (("none0",), "eth0")]
)
def test_the_first_is_the_preferred_one(priority: tuple[str, ...], first: str) -> None:
    selector = Selector(replace(RULES, priority=priority))
    assert (first, Reason.FIRST) == told(selector.choose([WWAN0, WLAN0, ETH0], 0))


def test_loopback_is_never_used_and_virtual_ones_only_by_name() -> None:
    loopback = Candidate("lo", InterfaceKind.LOOPBACK, usable=True)
    bridge = Candidate("br0", InterfaceKind.VIRTUAL, usable=True)
    assert Selector(Rules(priority=("lo",))).choose([loopback, bridge], 0) is None
    named = Selector(Rules(priority=("br0",)))
    assert ("br0", Reason.FIRST) == told(named.choose([loopback, bridge], 0))


def test_what_is_lost_is_left_at_once() -> None:
    selector = Selector(RULES)
    selector.choose([ETH0, WLAN0], 0)
    assert ("wlan0", Reason.LOST) == told(selector.choose([lost(ETH0), WLAN0], 0.1))
    assert (None, Reason.LOST) == told(selector.choose([lost(ETH0), lost(WLAN0)], 0.2))
    assert ("eth0", Reason.FIRST) == told(selector.choose([ETH0, lost(WLAN0)], 0.3))


@pytest.mark.parametrize(("quality", "reason"), [(SLOW, Reason.LATENCY), (LOSSY, Reason.LOSS)])
def test_a_bad_link_is_left_for_a_good_one(quality: Quality, reason: Reason) -> None:
    selector = Selector(RULES)
    selector.choose([ETH0, WLAN0], 0)
    assert (None, None) == (
        selector.choose([ETH0, WLAN0], 50),
        selector.choose([ETH0, at(WLAN0, quality)], 51),
    )
    assert ("wlan0", reason) == told(selector.choose([at(ETH0, quality), WLAN0], 52))


def test_a_bad_link_is_kept_for_as_long_as_it_dwells() -> None:
    selector = Selector(RULES)
    selector.choose([ETH0, WLAN0], 0)
    assert selector.choose([at(ETH0, SLOW), WLAN0], 9.9) is None
    assert ("wlan0", Reason.LATENCY) == told(selector.choose([at(ETH0, SLOW), WLAN0], 10))


def test_a_bad_link_is_not_left_for_one_as_bad() -> None:
    selector = Selector(RULES)
    selector.choose([ETH0, WLAN0], 0)
    assert selector.choose([at(ETH0, SLOW), at(WLAN0, SLOW)], 20) is None
    assert ("wlan0", Reason.LOSS) == told(selector.choose([at(ETH0, AWFUL), at(WLAN0, SLOW)], 21))


def test_a_preferred_link_is_returned_to_once_it_was_good_for_long_enough() -> None:
    selector = Selector(RULES)
    selector.choose([ETH0, WLAN0], 0)
    selector.choose([lost(ETH0), WLAN0], 1)
    assert selector.choose([ETH0, WLAN0], 40) is None
    assert selector.choose([at(ETH0, SLOW), WLAN0], 60) is None
    assert selector.choose([ETH0, WLAN0], 61) is None
    assert selector.choose([ETH0, WLAN0], 90.9) is None
    assert ("eth0", Reason.RETURN) == told(selector.choose([ETH0, WLAN0], 91))


def test_a_link_of_the_same_kind_is_not_left_for_its_name_at_once() -> None:
    other = replace(ETH0, name="eth1")
    selector = Selector(RULES)
    selector.choose([other], 0)
    assert selector.choose([ETH0, other], 29) is None


def test_a_link_that_was_bad_is_good_again_only_well_below_the_limit() -> None:
    selector = Selector(Rules(dwell=0, return_after=0, limits=Limits(latency=0.5)))
    selector.choose([ETH0, WLAN0], 0)
    selector.choose([at(ETH0, SLOW), WLAN0], 1)
    assert selector.choose([at(ETH0, replace(SLOW, latency=0.45)), WLAN0], 2) is None
    assert "eth0" == getattr(
        selector.choose([at(ETH0, replace(SLOW, latency=0.39)), WLAN0], 3), "after", None
    )


def test_a_link_that_just_changed_is_not_chosen_while_another_will_do() -> None:
    restless = replace(WLAN0, restless=True)
    selector = Selector(RULES)
    selector.choose([ETH0, restless, WWAN0], 0)
    assert ("wwan0", Reason.LATENCY) == told(selector.choose([at(ETH0, SLOW), restless, WWAN0], 20))
    assert ("wlan0", Reason.LOST) == told(selector.choose([lost(ETH0), restless, lost(WWAN0)], 21))


def test_a_choice_by_hand_holds_at_once_and_comes_back() -> None:
    selector = Selector(RULES)
    selector.choose([ETH0, WLAN0], 0)
    selector.override = "wlan0"
    assert ("wlan0", Reason.MANUAL) == told(selector.choose([ETH0, at(WLAN0, AWFUL)], 1))
    assert ("eth0", Reason.LOST) == told(selector.choose([ETH0, lost(WLAN0)], 2))
    assert ("wlan0", Reason.MANUAL) == told(selector.choose([ETH0, WLAN0], 3))
    selector.override = None
    assert ("eth0", Reason.RETURN) == told(selector.choose([ETH0, WLAN0], 40))


def test_without_automatic_switching_only_a_hand_switches() -> None:
    selector = Selector(replace(RULES, automatic=False))
    selector.choose([ETH0, WLAN0], 0)
    assert selector.choose([at(ETH0, AWFUL), WLAN0], 100) is None
    assert selector.choose([lost(ETH0), WLAN0], 200) is None
    selector.override = "wlan0"
    assert ("wlan0", Reason.MANUAL) == told(selector.choose([lost(ETH0), WLAN0], 300))


def test_the_history_says_when_and_why() -> None:
    selector = Selector(RULES)
    selector.choose([ETH0, WLAN0], 3)
    selector.choose([at(ETH0, SLOW), WLAN0], 20)
    assert (
        Switch(3, None, "eth0", Reason.FIRST, "no interface was in use"),
        Switch(20, "eth0", "wlan0", Reason.LATENCY, "eth0: 600ms of latency, 500ms allowed"),
    ) == selector.history


def test_the_history_is_bounded() -> None:
    selector = Selector(RULES)
    for turn in range(500):
        selector.choose([ETH0] if turn % 2 else [WLAN0], turn)
    assert (100, 499) == (len(selector.history), selector.history[-1].at)


QUALITIES = st.builds(
    Quality,
    latency=st.none() | st.floats(0, 3),
    jitter=st.none() | st.floats(0, 1),
    loss=st.none() | st.floats(0, 1),
)
# Simulated time: a gap, and what the links are like after it.
STEPS = st.lists(st.tuples(st.floats(0, 20), QUALITIES, QUALITIES, QUALITIES), max_size=60)
LIVING = st.lists(
    st.tuples(st.floats(0, 20), *(st.tuples(QUALITIES, st.booleans(), st.booleans()),) * 3),
    max_size=60,
)
ALL = (ETH0, WLAN0, WWAN0)
DWELLS = st.floats(0.5, 60)


def run(selector: Selector, steps: Sequence[tuple[float, Sequence[Candidate]]]) -> list[Switch]:
    now, switches = 0.0, []
    for gap, candidates in steps:
        now += gap
        switch = selector.choose(candidates, now)
        if switch is not None:
            switches.append(switch)
    return switches


@given(STEPS, DWELLS, st.floats(0, 60))
def test_no_switch_comes_faster_than_the_dwell_time(
    steps: list[tuple[float, Quality, Quality, Quality]], dwell: float, return_after: float
) -> None:
    selector = Selector(Rules(dwell=dwell, return_after=return_after))
    switches = run(
        selector,
        [(gap, [at(one, q) for one, q in zip(ALL, qs, strict=True)]) for gap, *qs in steps],
    )
    for first, second in pairwise(switches):
        assert second.at - first.at >= dwell


@given(LIVING, DWELLS)
def test_only_the_loss_of_the_active_one_is_faster(
    steps: list[tuple[float, *tuple[tuple[Quality, bool, bool], ...]]], dwell: float
) -> None:
    living = [
        (
            gap,
            [
                replace(one, quality=quality, usable=usable, restless=restless)
                for one, (quality, usable, restless) in zip(ALL, states, strict=True)
            ],
        )
        for gap, *states in steps
    ]
    switches = run(Selector(Rules(dwell=dwell)), living)
    for first, second in pairwise(switches):
        forced = second.reason in (Reason.LOST, Reason.FIRST)
        assert forced or second.at - first.at >= dwell


@given(LIVING)
def test_what_is_active_can_be_used_if_anything_can(
    steps: list[tuple[float, *tuple[tuple[Quality, bool, bool], ...]]],
) -> None:
    selector, now = Selector(RULES), 0.0
    for gap, *states in steps:
        now += gap
        candidates = {
            one.name: replace(one, quality=quality, usable=usable, restless=restless)
            for one, (quality, usable, restless) in zip(ALL, states, strict=True)
        }
        selector.choose(candidates.values(), now)
        if any(each.usable for each in candidates.values()):
            assert selector.active is not None
            assert candidates[selector.active].usable
        else:
            assert selector.active is None
