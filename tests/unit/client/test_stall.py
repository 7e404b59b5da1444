"""A slow connection is not a dead one."""

from tusd_py.client.stall import StallDetector


def detector() -> StallDetector:
    return StallDetector(stall_timeout=30.0, answer_timeout=120.0, now=0.0)


def test_a_connection_on_which_nothing_moves_is_dead() -> None:
    watched = detector()
    assert watched.stalled(1.0, 100, all_delivered=False) is None
    assert watched.stalled(31.0, 100, all_delivered=False) is None

    assert 30.5 == watched.stalled(31.5, 100, all_delivered=False)


def test_one_byte_now_and_then_keeps_it_alive() -> None:
    watched = detector()

    assert {None} == {watched.stalled(29.0 * n, n, all_delivered=False) for n in range(100)}


def test_a_server_that_has_everything_may_think_for_longer() -> None:
    watched = detector()
    assert watched.stalled(1.0, 100, all_delivered=True) is None
    assert watched.stalled(121.0, 100, all_delivered=True) is None

    assert watched.stalled(121.1, 100, all_delivered=True) is not None
