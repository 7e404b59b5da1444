"""An interface that changes often settles once."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.network.samples import interface, snapshot
from tusd_py.network.changes import Change, diff
from tusd_py.network.interfaces import Interface
from tusd_py.network.settling import Settled, Settling

UP = interface("eth0", "192.0.2.2/24")
DOWN = replace(UP, up=False)


def change(before: Interface, after: Interface) -> Change:
    (found,) = diff(snapshot(before), snapshot(after))
    return found


def test_a_change_settles_after_its_rest() -> None:
    settling = Settling(2)
    settling.note(change(UP, DOWN), 10)

    assert ((), 12) == (settling.due(11.9), settling.next)
    (settled,) = settling.due(12)
    assert ("eth0", 1, ["eth0 went down"]) == (
        settled.interface,
        settled.seen,
        [str(each) for each in settled.changes],
    )


def test_what_settled_is_told_once() -> None:
    settling = Settling(2)
    settling.note(change(UP, DOWN), 10)

    assert 1 == len(settling.due(12))
    assert ((), None, frozenset()) == (settling.due(13), settling.next, settling.restless)


def test_flapping_is_one_settled_change() -> None:
    settling = Settling(2)
    told: list[Settled] = []
    for turn in range(20):
        now = turn * 0.5
        settling.note(change(UP, DOWN) if turn % 2 == 0 else change(DOWN, UP), now)
        told += settling.due(now + 0.4)

    assert [] == told
    (settled,) = settling.due(9.5 + 2)
    assert (20, ()) == (settled.seen, settled.changes)


def test_each_interface_settles_by_itself() -> None:
    other = interface("wlan0", "198.51.100.7/24")
    settling = Settling(2)
    settling.note(change(UP, DOWN), 10)
    settling.note(change(other, replace(other, up=False)), 11)

    assert ["eth0"] == [settled.interface for settled in settling.due(12)]
    assert frozenset({"wlan0"}) == settling.restless


@given(st.lists(st.floats(0, 5), min_size=1), st.floats(0.1, 5))
def test_none_settles_sooner_than_its_rest_and_all_settle(gaps: list[float], rest: float) -> None:
    settling = Settling(rest)
    now, seen, told, last = 0.0, 0, 0, 0.0
    for gap in gaps:
        now += gap
        for settled in settling.due(now):
            assert now >= last + rest
            told += settled.seen
        settling.note(change(UP, DOWN), now)
        seen, last = seen + 1, now
    told += sum(settled.seen for settled in settling.due(now + rest))
    assert (seen, None) == (told, settling.next)
