import pytest

from tusd_py.streaming import Interrupt, Stop


def test_at_first_nobody_has_asked() -> None:
    assert Interrupt().reason is None


def test_the_first_reason_wins_and_stays() -> None:
    interrupt = Interrupt()
    interrupt.set(Stop.REVOKED)
    interrupt.set(Stop.SHUTDOWN)

    assert interrupt.reason is Stop.REVOKED


def test_a_watcher_hears_of_it_once() -> None:
    interrupt, heard = Interrupt(), list[Stop]()
    with interrupt.watched(heard.append):
        before = [*heard]
        interrupt.set(Stop.SHUTDOWN)
        interrupt.set(Stop.REVOKED)

    assert (before, heard) == ([], [Stop.SHUTDOWN])


def test_a_watcher_that_comes_late_hears_of_it_at_once() -> None:
    interrupt, heard = Interrupt(), list[Stop]()
    interrupt.set(Stop.REVOKED)
    with interrupt.watched(heard.append):
        assert heard == [Stop.REVOKED]


def test_a_watcher_that_is_gone_hears_nothing() -> None:
    interrupt, heard = Interrupt(), list[Stop]()
    with interrupt.watched(heard.append):
        pass
    with pytest.raises(ZeroDivisionError), interrupt.watched(heard.append):
        raise ZeroDivisionError
    interrupt.set(Stop.REVOKED)

    assert heard == []
