"""What follows a failure, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import Clock
from tusd_py.client.retry import Backoff, Bounds, Then, after, retry_after

BOUNDS = Bounds(first=0.5, longest=30.0, reconnect=2.0, patience=600.0, first_contact=20.0)


def backoff(clock: Clock, jitter: float = 0.999_999) -> Backoff:
    return Backoff(BOUNDS, clock=clock, jitter=lambda: jitter)


def waits(pauses: Backoff, count: int) -> list[float | None]:
    told = [pauses.failed() for _ in range(count)]
    return [None if wait is None else round(wait, 3) for wait in told]


@pytest.mark.parametrize("status", [408, 423, 425, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["OPTIONS", "POST", "HEAD", "PATCH"])
def test_what_passes_is_tried_again(method: str, status: int) -> None:
    assert Then.AGAIN is after(method, status)


@pytest.mark.parametrize("status", [400, 401, 411, 412, 413, 415, 301, 308])
@pytest.mark.parametrize("method", ["OPTIONS", "POST", "HEAD", "PATCH"])
def test_what_stays_as_it_is_ends_the_upload(method: str, status: int) -> None:
    assert Then.FAIL is after(method, status)


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        ("HEAD", 403, Then.ANEW),
        ("HEAD", 404, Then.ANEW),
        ("HEAD", 410, Then.ANEW),
        ("PATCH", 403, Then.INSPECT),
        ("PATCH", 404, Then.INSPECT),
        ("PATCH", 410, Then.INSPECT),
        ("POST", 403, Then.FAIL),
        ("POST", 404, Then.FAIL),
        ("PATCH", 409, Then.AGAIN),
        ("PATCH", 460, Then.AGAIN),
        ("POST", 409, Then.FAIL),
        ("POST", 507, Then.FAIL),
        ("PATCH", 507, Then.AGAIN),
        ("POST", 501, Then.FAIL),
    ],
)
def test_what_depends_on_the_request(method: str, status: int, then: Then) -> None:
    assert then is after(method, status)


def test_bounds_double_up_to_the_longest() -> None:
    pauses = backoff(Clock(1000.0))
    pauses.reached()

    assert [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] == waits(pauses, 8)


@given(jitter=st.floats(0, 1, exclude_max=True), failures=st.integers(1, 200))
def test_a_wait_is_anywhere_below_its_bound(jitter: float, failures: int) -> None:
    pauses = backoff(Clock(1000.0), jitter)
    pauses.reached()

    last = [pauses.failed() for _ in range(failures)][-1]

    assert last is not None
    assert last == jitter * min(30.0, 0.5 * 2 ** (failures - 1))


def test_progress_starts_the_bounds_anew() -> None:
    pauses = backoff(Clock(1000.0))
    waits(pauses, 5)

    pauses.progressed()

    assert [0.5, 1.0] == waits(pauses, 2)


def test_a_server_that_asks_for_more_time_gets_it() -> None:
    pauses = backoff(Clock(1000.0))

    assert 7.0 == pauses.failed(at_least=7.0)


def test_patience_ends_a_while_after_the_first_failure_without_progress() -> None:
    clock = Clock(1000.0)
    pauses = backoff(clock)
    pauses.reached()
    pauses.failed()
    clock.now += 599.9
    assert pauses.failed() is not None
    clock.now = 1600.0

    assert pauses.failed() is None
    assert 600.0 == pauses.silent_for


@pytest.mark.parametrize("reached", [False, True], ids=["first contact", "patience"])
@given(jitter=st.floats(0.01, 1, exclude_max=True))
def test_attempts_go_on_until_the_very_end_of_patience(reached: bool, jitter: float) -> None:
    clock = Clock(1000.0)
    pauses = backoff(clock, jitter)
    if reached:
        pauses.reached()

    while (wait := pauses.failed()) is not None:
        clock.now += wait

    assert pytest.approx(600.0 if reached else 20.0) == pauses.silent_for


def test_a_server_that_asks_for_more_time_than_is_left_is_asked_once_more() -> None:
    pauses = backoff(Clock(1000.0))
    pauses.reached()

    assert 600.0 == pauses.failed(at_least=3600.0)


def test_progress_gives_all_patience_back() -> None:
    clock = Clock(1000.0)
    pauses = backoff(clock)
    pauses.reached()
    pauses.failed()
    clock.now += 599.0
    pauses.progressed()
    pauses.failed()
    clock.now += 599.0

    assert pauses.failed(at_least=1.0) is not None


def test_a_server_that_never_answered_is_given_up_soon() -> None:
    clock = Clock(1000.0)
    pauses = backoff(clock)
    pauses.failed()
    clock.now += 20.0

    assert pauses.failed(at_least=0.1) is None


def test_a_server_that_answered_once_is_not() -> None:
    clock = Clock(1000.0)
    pauses = backoff(clock)
    pauses.reached()
    pauses.failed()
    clock.now += 20.0

    assert pauses.failed(at_least=0.1) is not None


def test_a_new_link_caps_the_waits_for_a_while() -> None:
    clock = Clock(1000.0)
    pauses = backoff(clock)
    pauses.reached()
    waits(pauses, 8)

    pauses.link_changed()

    assert [0.5, 1.0, 2.0, 2.0, 2.0] == waits(pauses, 5)
    clock.now += 30.1
    assert [16.0, 30.0] == waits(pauses, 2)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("9" * 400, 31_536_000.0),
        ("Thu, 01 Jan 9999 00:00:00 GMT", 31_536_000.0),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("\u0663", None),
    ],
)
def test_what_retry_after_asks_for(value: str, seconds: float | None) -> None:
    assert seconds == retry_after({"retry-after": value}, now=100.0)


def test_no_retry_after_asks_for_nothing() -> None:
    assert retry_after({}, now=100.0) is None
