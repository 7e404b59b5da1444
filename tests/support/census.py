"""What a live server holds: counted before and after, it tells whether something leaks."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support.live import LiveServer
from tusd_py import TusApp
from tusd_py.locks.file import FileLocks

_PATIENCE = 8.0
_INTERVAL = 0.01


@dataclass(frozen=True)
class Census:
    """What there is at a moment when no request runs, or what is left of one.

    Attributes:
        files: How many descriptors of this process lead where; all sockets count as one place.
        tasks: How many tasks of the server's loop run what.
        connections: How many connections the server knows of.
        leases: How many locks are held.
        transfers: How many transfers were admitted and have not ended.
        receiving: How many uploads are taken to be growing.
        buffered: Bytes that count against the buffer budget.
        served: Transfers that count against it.
    """

    files: Counter[str]
    tasks: Counter[str]
    connections: int
    leases: int
    transfers: int
    receiving: int
    buffered: int
    served: int


def take_census(server: LiveServer, tus: TusApp) -> Census:
    """Count, in the server's own thread."""
    answer: Future[Census] = Future()

    def count() -> None:
        try:
            answer.set_result(_count(server, tus))
        except BaseException as error:
            answer.set_exception(error)

    server.loop.call_soon_threadsafe(count)
    return answer.result(_PATIENCE)


@contextmanager
def nothing_leaks(server: LiveServer, tus: TusApp) -> Iterator[None]:
    """Wait after the block until the server holds no more than before it."""
    # The ends of earlier connections may be on their way still.
    wait_for_connections(server, 0)
    before = take_census(server, tus)
    yield
    deadline = time.monotonic() + _PATIENCE
    while (after := take_census(server, tus)) != before:
        assert time.monotonic() < deadline, _difference(before, after)
        time.sleep(_INTERVAL)


def wait_for_connections(server: LiveServer, count: int) -> None:
    """Wait until the server has so many connections."""
    deadline = time.monotonic() + _PATIENCE
    while count != (found := len(server.server_state.connections)):
        assert time.monotonic() < deadline, f"{found} connections, not {count}"
        time.sleep(_INTERVAL)


def _count(server: LiveServer, tus: TusApp) -> Census:
    engine = tus._runtime.engine
    assert engine is not None
    budget = tus._handler._endpoints._buffers._budget
    tasks = asyncio.all_tasks(server.loop)
    locks = engine.locks
    assert isinstance(locks, FileLocks)
    return Census(
        files=_open_files(),
        tasks=Counter(str(getattr(task.get_coro(), "__qualname__", "")) for task in tasks),
        connections=len(server.server_state.connections),
        leases=len(locks._inside) + len(locks._asked_by),
        transfers=len(engine.admission),
        receiving=len(engine.receiving),
        buffered=budget.held,
        served=budget._transfers,
    )


def _open_files() -> Counter[str]:
    places: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names, of which some are gone
        with suppress(FileNotFoundError):
            # Sockets and pipes have a number of their own behind a colon.
            places[str(Path(f"/proc/self/fd/{name}").readlink()).partition(":")[0]] += 1
    del places["/proc/self/fd"]
    return places


def _difference(before: Census, after: Census) -> str:
    then, now = asdict(before), asdict(after)
    return "; ".join(f"{key}: {then[key]}, now {now[key]}" for key in then if then[key] != now[key])
