"""How large a connection's buffers are, with simulated time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import Clock
from tusd_py.config import Streaming
from tusd_py.quantities import KiB, MiB
from tusd_py.streaming.budget import CACHED, BufferBudget
from tusd_py.streaming.buffers import ABSORBED, FILL, SMALL, UNKNOWN, BufferSize, next_size

RULES = Streaming()
LEAST, MOST = RULES.min_buffer_size, RULES.max_buffer_size
INTERVAL = RULES.buffer_optimization_interval
FAST, SLOW = 10_000 * MiB, KiB

rates = st.floats(0, FAST)
bounds = st.tuples(st.integers(4 * KiB, 64 * MiB), st.integers(4 * KiB, 64 * MiB)).map(sorted)


@st.composite
def rules(draw: st.DrawFn) -> Streaming:
    least, most = draw(bounds)
    return Streaming(min_buffer_size=least, max_buffer_size=most)


class Link:
    """A connection that moves bytes at a rate, in steps of the size that is chosen for it."""

    def __init__(
        self,
        rules: Streaming = RULES,
        *,
        start: int | None = None,
        budget: BufferBudget | None = None,
    ) -> None:
        self.changes = 0
        self.clock = Clock(1000.0)
        self.size = BufferSize(
            budget or BufferBudget(64 * MiB), rules, start, changed=self._changed, clock=self.clock
        )

    def run(self, seconds: float, rate: float) -> None:
        """Move bytes, but no less often than what is slow is given up to be written."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            step = min(self.size.bytes / rate, FILL)
            self.clock.advance(step)
            self.size.moved(int(step * rate))

    def _changed(self) -> None:
        self.changes += 1


@given(rules(), st.data(), rates)
def test_a_size_is_within_its_bounds(rules: Streaming, data: st.DataObject, rate: float) -> None:
    least, most = rules.min_buffer_size, rules.max_buffer_size
    size = data.draw(st.integers(least, most))

    assert least <= next_size(size, rate, rules) <= most


@given(rules(), st.data(), rates)
def test_a_size_grows_to_what_comes_in_a_moment_and_is_halved_above_that(
    rules: Streaming, data: st.DataObject, rate: float
) -> None:
    size = data.draw(st.integers(rules.min_buffer_size, rules.max_buffer_size))

    chosen = next_size(size, rate, rules)

    least, wanted = rules.min_buffer_size, rate * FILL
    assert min(least, wanted) <= chosen <= max(least, wanted, size // 2)
    assert chosen >= min(size // 2, max(least, wanted))
    assert chosen >= size or chosen == size // 2 or chosen * 2 > wanted


def test_what_became_too_large_is_halved() -> None:
    assert [MOST // 2, LEAST, LEAST] == [
        next_size(size, 0.0, RULES) for size in (MOST, 40_000, LEAST)
    ]


@given(st.integers(LEAST, MOST), rates, rates)
def test_a_faster_link_has_no_smaller_buffers(size: int, one: float, other: float) -> None:
    slower, faster = sorted((one, other))

    assert next_size(size, slower, RULES) <= next_size(size, faster, RULES)


@given(st.integers(LEAST, MOST), rates)
def test_a_steady_link_keeps_its_size(size: int, rate: float) -> None:
    chosen = [size]
    for _ in range(10):
        chosen.append(next_size(chosen[-1], rate, RULES))

    assert chosen[8] == chosen[9] == chosen[10]


@given(st.floats(LEAST / FILL, MOST / FILL / 2), st.lists(st.floats(1.0, 1.2), min_size=1))
def test_a_link_that_wavers_a_little_changes_once_at_most(
    rate: float, wavering: list[float]
) -> None:
    size = next_size(LEAST, rate, RULES)
    chosen = [size]
    for factor in wavering:
        chosen.append(next_size(chosen[-1], rate * factor, RULES))

    assert sorted(chosen) == chosen
    assert len(set(chosen)) <= 2


@given(st.sampled_from([None, LEAST, 500_000, MOST]), st.floats(KiB, 2000 * MiB))
def test_what_was_assumed_of_a_link_counts_for_less_than_a_second(
    start: int | None, rate: float
) -> None:
    assumed, measured = Link(start=start), Link(start=LEAST)
    for link in (assumed, measured):
        link.run(1.0, rate)

    wanted = max(LEAST, rate * FILL)
    assert min(MOST, wanted / 3) <= assumed.size.bytes <= wanted
    assert assumed.size.bytes / 2 <= measured.size.bytes <= assumed.size.bytes * 2


def test_the_start_is_what_is_known_of_the_link() -> None:
    assert (500_000, UNKNOWN) == (Link(start=500_000).size.bytes, Link().size.bytes)
    assert (LEAST, MOST) == (Link(start=1).size.bytes, Link(start=10**9).size.bytes)


def test_a_link_that_becomes_slow_or_fast_is_followed() -> None:
    link, sizes = Link(), []
    for rate in (FAST, SLOW, FAST):
        link.run(2.0 if rate == SLOW else 0.2, rate)
        sizes.append(link.size.bytes)

    assert [MOST, LEAST, MOST] == sizes


def test_a_size_is_chosen_once_in_each_interval() -> None:
    link = Link(Streaming(buffer_optimization_interval=10.0))
    link.run(FILL * 1.5, FAST)
    measured = link.size.bytes
    link.run(9.9, SLOW)
    before = link.size.bytes
    link.run(0.2, SLOW)

    assert MOST == measured == before > link.size.bytes


def test_time_in_which_there_was_nothing_to_move_does_not_count() -> None:
    link = Link()
    link.run(FILL / 2, FAST)
    link.clock.advance(3600.0)
    link.size.begin()
    link.run(FILL, FAST)

    assert MOST == link.size.bytes


def test_sizes_that_are_not_to_adapt_are_the_largest() -> None:
    link = Link(Streaming(adaptive_buffers=False, max_buffer_size=MiB), start=LEAST)
    link.run(5.0, SLOW)

    assert (MiB, MiB, 0) == (link.size.bytes, link.size.to_write(KiB), link.changes)


def test_a_short_body_is_written_in_several_steps() -> None:
    size = Link(start=MiB).size

    assert [MiB, MiB, 512 * KiB, LEAST] == [
        size.to_write(left) for left in (None, 4 * MiB, 2 * MiB, 1)
    ]


def test_many_connections_share_what_they_hold() -> None:
    budget = BufferBudget(64 * MiB)
    size = Link(start=MOST, budget=budget).size
    for _ in range(32):
        budget.begin_transfer()

    assert [CACHED // 32] * 2 == [size.to_write(None), size.to_send(MOST)]


def test_no_more_is_read_for_a_client_than_it_takes() -> None:
    size = Link(start=MOST).size

    assert [MiB, LEAST, LEAST] == [size.to_send(room) for room in (MiB, SMALL // 2, 0)]


def test_for_a_client_that_reads_a_lot_more_is_read_than_the_kernel_takes() -> None:
    link = Link(start=MOST)
    sizes = []
    for size in (ABSORBED - 1, ABSORBED, ABSORBED - 1):
        link.clock.advance(INTERVAL)
        link.size.moved(size)
        sizes.append(link.size.to_send(0))

    assert [LEAST, link.size.bytes, LEAST] == sizes
    assert link.size.bytes > LEAST


def test_of_a_spent_budget_every_client_gets_the_least() -> None:
    budget = BufferBudget(64 * MiB)
    size = Link(start=MOST, budget=budget).size
    budget.take(64 * MiB)

    assert LEAST == size.to_send(MOST)
