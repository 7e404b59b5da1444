"""Threads that stay on a processor, and threads that don't."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator

import pytest

from tusd_py import affinity
from tusd_py.threads import WorkerThreads

ALL = os.sched_getaffinity(0) if affinity.available() else set()

pytestmark = pytest.mark.skipif(len(ALL) < 2, reason="needs two processors and Linux")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    affinity._anywhere = None


def in_a_thread(work: Callable[[], None]) -> None:
    """Call a function in a thread of its own, whose affinity ends with it."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_who_settles_stays_with_those_it_starts() -> None:
    seen: list[set[int]] = []

    def settle() -> None:
        affinity.settle(0)
        seen.append(os.sched_getaffinity(0))
        in_a_thread(lambda: seen.append(os.sched_getaffinity(0)))

    in_a_thread(settle)

    assert [{max(ALL)}, {max(ALL)}] == seen


def test_each_number_has_a_processor_of_its_own_until_there_are_no_more() -> None:
    seen: list[int] = []
    for number in range(len(ALL) + 1):

        def settle(number: int = number) -> None:
            affinity.settle(number)
            seen.extend(os.sched_getaffinity(0))

        in_a_thread(settle)

    assert [*sorted(ALL, reverse=True), max(ALL)] == seen


@pytest.mark.parametrize(("roam", "expected"), [(True, ALL), (False, {max(ALL, default=0)})])
def test_worker_threads_roam_or_stay_with_who_starts_them(roam: bool, expected: set[int]) -> None:
    seen: list[set[int]] = []

    async def look() -> None:
        threads = WorkerThreads(1, "test", roam=roam)
        seen.append(await threads.run(os.sched_getaffinity, 0))

    def settle() -> None:
        affinity.settle(0)
        asyncio.run(look())

    in_a_thread(settle)

    assert [expected] == seen


def test_who_never_settled_is_where_it_was() -> None:
    affinity.roam()

    assert os.sched_getaffinity(0) == ALL
