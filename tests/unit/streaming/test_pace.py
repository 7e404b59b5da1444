from tusd_py.streaming.pace import Pace


def test_nothing_is_judged_before_the_window_has_passed() -> None:
    pace = Pace(least=100, window=10)

    assert [False, False, False] == [pace.too_slow(1, 3) for _ in range(3)]


def test_too_few_bytes_in_a_window_are_too_slow() -> None:
    pace = Pace(least=100, window=10)
    pace.too_slow(500, 5)

    assert pace.too_slow(499, 5)


def test_enough_bytes_in_a_window_are_not() -> None:
    pace = Pace(least=100, window=10)
    pace.too_slow(500, 5)

    assert not pace.too_slow(500, 5)


def test_a_fast_start_is_no_credit_for_later() -> None:
    pace = Pace(least=100, window=10)
    pace.too_slow(1_000_000, 10)

    assert pace.too_slow(999, 10)


def test_bytes_that_nobody_waited_for_are_never_too_slow() -> None:
    pace = Pace(least=100, window=10)

    assert not any(pace.too_slow(1, 0) for _ in range(1000))
