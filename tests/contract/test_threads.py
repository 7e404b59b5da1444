"""Blocking work off the event loop."""

import asyncio
import threading

import pytest

from tusd_py.errors import StorageError
from tusd_py.threads import WorkerThreads

pytestmark = pytest.mark.anyio


async def test_calls_of_one_turn_share_a_visit() -> None:
    threads = WorkerThreads(4, "test")

    seen = await asyncio.gather(*(threads.run_together(threading.get_ident) for _ in range(20)))

    assert 1 == len(set(seen))
    assert threading.get_ident() not in seen


async def test_one_that_fails_fails_alone() -> None:
    threads = WorkerThreads(1, "test")

    def fail() -> None:
        raise OSError

    results = await asyncio.gather(
        threads.run_together(int, "1"),
        threads.run_together(fail),
        threads.run_together(int, "3"),
        return_exceptions=True,
    )

    assert (1, 3) == (results[0], results[2])
    assert isinstance(results[1], StorageError)


async def test_who_is_cancelled_waits_for_the_call_to_end() -> None:
    threads = WorkerThreads(1, "test")
    began, ended = threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    running = asyncio.Event()

    def work() -> None:
        loop.call_soon_threadsafe(running.set)
        began.wait(5)
        ended.set()

    task = asyncio.ensure_future(threads.run(work))
    await running.wait()
    task.cancel()
    loop.call_soon(began.set)
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ended.is_set()


def test_what_a_loop_left_behind_does_not_hold_up_the_next() -> None:
    threads = WorkerThreads(1, "test")

    async def leave() -> None:
        task = asyncio.ensure_future(threads.run_together(int, "1"))
        # The task queues its call, and the loop ends before the turn does.
        await asyncio.sleep(0)
        asyncio.get_running_loop().stop()
        task.cancel()

    loop = asyncio.new_event_loop()
    leaving = loop.create_task(leave())
    loop.run_forever()
    del leaving
    loop.close()

    assert 2 == asyncio.run(threads.run_together(int, "2"))
