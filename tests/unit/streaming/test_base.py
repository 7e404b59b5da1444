import asyncio

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


def test_a_pause_is_taken_back_and_another_reason_is_not() -> None:
    interrupt = Interrupt()
    interrupt.pause()
    paused = interrupt.reason
    interrupt.resume()
    resumed = interrupt.reason
    interrupt.revoke()
    interrupt.resume()

    assert (Stop.PAUSED, None, Stop.REVOKED) == (paused, resumed, interrupt.reason)


def test_another_reason_takes_the_place_of_a_pause_and_is_told() -> None:
    interrupt, heard = Interrupt(), list[Stop]()
    with interrupt.watched(heard.append):
        interrupt.pause()
        interrupt.pause()
        interrupt.set(Stop.SHUTDOWN)
        interrupt.pause()

    assert ([Stop.PAUSED, Stop.SHUTDOWN], Stop.SHUTDOWN) == (heard, interrupt.reason)


@pytest.mark.parametrize("reason", [None, Stop.REVOKED])
async def test_the_end_of_a_pause_is_waited_for(reason: Stop | None) -> None:
    interrupt = Interrupt()
    interrupt.pause()
    waiting = asyncio.create_task(interrupt.pause_over())
    await asyncio.sleep(0)
    before = waiting.done()
    interrupt.resume() if reason is None else interrupt.set(reason)

    assert (False, reason) == (before, await asyncio.wait_for(waiting, 5))


async def test_a_pause_that_begins_anew_is_not_over() -> None:
    interrupt = Interrupt()
    interrupt.pause()
    waiting = asyncio.create_task(interrupt.pause_over())
    await asyncio.sleep(0)
    interrupt.resume()
    interrupt.pause()
    for _ in range(5):
        await asyncio.sleep(0)
    before = waiting.done()
    interrupt.resume()

    assert (False, None) == (before, await asyncio.wait_for(waiting, 5))
