"""The circuit breaker, without anything that is called."""

import pytest

from tests.support.clock import Clock
from tusd_py.hooks.breaker import Breaker, BreakerState, Call


@pytest.fixture
def clock() -> Clock:
    return Clock(100.0)


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock, failures=3, first_pause=1.0, longest_pause=5.0)


def call(breaker: Breaker) -> Call:
    admitted = breaker.admit()
    assert admitted is not None
    return admitted


def opened(breaker: Breaker) -> Breaker:
    for _ in range(3):
        call(breaker).failed()
    return breaker


def test_it_is_closed_at_first(breaker: Breaker) -> None:
    assert (BreakerState.CLOSED, True) == (breaker.state, breaker.ready)


def test_failures_in_a_row_open_it(breaker: Breaker) -> None:
    call(breaker).failed()
    call(breaker).failed()
    assert BreakerState.CLOSED is breaker.state
    call(breaker).failed()

    assert (BreakerState.OPEN, False, None) == (breaker.state, breaker.ready, breaker.admit())


def test_a_success_between_failures_keeps_it_closed(breaker: Breaker) -> None:
    for _ in range(5):
        call(breaker).failed()
        call(breaker).failed()
        call(breaker).succeeded()

    assert BreakerState.CLOSED is breaker.state


def test_calls_that_were_given_up_do_not_count(breaker: Breaker) -> None:
    for _ in range(9):
        call(breaker).abandoned()

    assert BreakerState.CLOSED is breaker.state


def test_it_stays_open_for_its_pause(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 0.999
    assert BreakerState.OPEN is breaker.state
    clock.now += 0.001

    assert (BreakerState.HALF_OPEN, True) == (breaker.state, breaker.ready)


def test_half_open_it_lets_one_call_through(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 1
    probe = breaker.admit()

    assert probe is not None
    assert (BreakerState.HALF_OPEN, False, None) == (breaker.state, breaker.ready, breaker.admit())


def test_a_call_that_succeeds_closes_it(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 1
    call(breaker).succeeded()

    assert BreakerState.CLOSED is breaker.state
    call(breaker).failed()
    call(breaker).failed()
    assert BreakerState.CLOSED is breaker.state, "what was before it closed does not count"


def test_a_call_that_fails_opens_it_for_longer_up_to_a_limit(
    breaker: Breaker, clock: Clock
) -> None:
    opened(breaker)
    clock.now += 1
    for pause in (2.0, 4.0, 5.0, 5.0):
        call(breaker).failed()
        clock.now += pause - 0.001
        assert not breaker.ready
        clock.now += 0.001
        assert breaker.ready


def test_what_fails_while_it_is_open_does_not_keep_it_open(breaker: Breaker, clock: Clock) -> None:
    late = call(breaker)
    opened(breaker)
    clock.now += 0.5
    late.failed()
    clock.now += 0.5

    assert breaker.ready


def test_after_it_closed_the_pause_is_the_first_again(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 1
    call(breaker).failed()
    clock.now += 2
    call(breaker).succeeded()
    opened(breaker)
    clock.now += 1

    assert BreakerState.HALF_OPEN is breaker.state


def test_a_call_that_was_let_through_and_given_up_makes_room_for_another(
    breaker: Breaker, clock: Clock
) -> None:
    opened(breaker)
    clock.now += 1
    call(breaker).abandoned()

    assert (BreakerState.HALF_OPEN, True) == (breaker.state, breaker.ready)


@pytest.mark.parametrize("end", ["succeeded", "failed", "abandoned"])
def test_what_was_called_before_it_opened_changes_nothing(
    breaker: Breaker, clock: Clock, end: str
) -> None:
    late = call(breaker)
    opened(breaker)
    getattr(late, end)()
    assert not breaker.ready
    clock.now += 1

    probe, another = call(breaker), breaker.admit()
    assert another is None
    probe.succeeded()
    assert BreakerState.CLOSED is breaker.state
