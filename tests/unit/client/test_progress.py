"""What is told of an upload under way."""

from __future__ import annotations

from tests.support.clock import Clock
from tusd_py.client.progress import Meter, Phase, Progress


def metered(clock: Clock, total: int = 1000, parts: int = 1) -> tuple[Meter, list[Progress]]:
    told: list[Progress] = []
    return Meter(total, parts, told.append, clock), told


def test_rate_and_time_left_are_those_of_late() -> None:
    clock = Clock(1000.0)
    meter, told = metered(clock)
    for second in range(1, 9):
        clock.now += 1
        # Slow at first: after five seconds that does not count any more.
        meter.delivered(0, 10 * second if second <= 3 else 30 + 100 * (second - 3))

    assert (530, 100.0, 4.7) == (told[-1].sent, told[-1].rate, told[-1].time_left)


def test_what_the_server_had_before_is_no_part_of_the_rate() -> None:
    clock = Clock(1000.0)
    meter, told = metered(clock)
    meter.delivered(0, 0)
    clock.now += 0.5
    meter.stands_at(0, 600)
    clock.now += 0.5
    meter.delivered(0, 650)

    assert (650, 50.0) == (told[-1].sent, told[-1].rate)


def test_nobody_is_told_more_than_ten_times_a_second() -> None:
    clock = Clock(1000.0)
    meter, told = metered(clock)
    for count in range(1000):
        clock.now += 0.001
        meter.delivered(0, count)

    assert 10 == len(told)


def test_parts_add_up() -> None:
    clock = Clock(1000.0)
    meter, told = metered(clock, parts=2)
    meter.delivered(0, 100)
    clock.now += 1
    meter.delivered(1, 50)

    assert 150 == told[-1].sent


def test_it_is_paused_when_all_parts_are_and_says_why_at_once() -> None:
    clock = Clock(1000.0)
    meter, told = metered(clock, parts=2)
    meter.delivered(0, 1)
    meter.paused(0, "the server answered 503")
    assert Phase.UPLOADING is told[-1].phase

    meter.paused(1, "Connection refused")

    assert (Phase.PAUSED, "Connection refused") == (told[-1].phase, told[-1].why)
    meter.delivered(1, 1)
    assert (Phase.UPLOADING, None) == (told[-1].phase, told[-1].why)
