"""Blocking work in worker threads."""

import asyncio
import errno
import threading
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

import anyio

from tusd_py import affinity
from tusd_py.errors import StorageError, StorageFull

P = ParamSpec("P")
T = TypeVar("T")

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _translated(work: Callable[[], T]) -> T:
    """Call a function with the operating system's errors turned into ours.

    The cause is kept for the log.
    """
    try:
        return work()
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFull from error
        raise StorageError from error


class _Job:
    """One call, on its way to a thread and back."""

    __slots__ = ("_error", "_result", "done", "finished", "loop", "work")

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Callable[[], Any]) -> None:
        self.loop = loop
        self.work = work
        self.done: asyncio.Future[Any] = loop.create_future()
        self.finished = False
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Call, in the worker thread."""
        try:
            self._result = _translated(self.work)
        except BaseException as error:
            self._error = error

    def deliver(self) -> None:
        """Tell the caller, in its event loop."""
        self.finished = True
        if self.done.done():
            return
        if self._error is not None:
            self.done.set_exception(self._error)
        else:
            self.done.set_result(self._result)


def _deliver(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        job.deliver()


class WorkerThreads:
    """A few threads for file work, started as they are needed.

    The standard library's executor costs twice as much for each call, which small uploads feel.
    The threads do not keep the interpreter from exiting: whoever waits for a call is what does.

    Args:
        count: How many threads at most.
        name: What their names begin with.
        roam: They run on any processor; otherwise where the thread does that first uses them.
    """

    def __init__(self, count: int, name: str, *, roam: bool = True) -> None:
        self._count = count
        self._name = name
        self._roam = roam
        self._jobs: SimpleQueue[list[_Job]] = SimpleQueue()
        self._gathered: list[_Job] = []
        self._started = 0
        self._under_way = 0

    @property
    def crowded(self) -> bool:
        """Calls are waiting for a thread."""
        return not self._jobs.empty()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in a thread.

        A caller that is cancelled leaves only after the call has ended: it may be about to close
        the file that the thread uses.

        Raises:
            StorageError: The operating system refused.
        """
        job = _Job(asyncio.get_running_loop(), partial(work, *args, **kwargs))
        self._jobs.put([job])
        result: T = await self._done(job)
        return result

    async def run_together(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a quick function in a thread, in one visit with others of this turn of the loop.

        Threads that work at the same time hand the interpreter's lock to each other at every
        system call; visits that are shared have less of that.

        Raises:
            StorageError: The operating system refused.
        """
        job = _Job(asyncio.get_running_loop(), partial(work, *args, **kwargs))
        # What an event loop that has ended left behind is nobody's any more.
        if not self._gathered or self._gathered[0].loop is not job.loop:
            self._gathered = []
            job.loop.call_soon(self._put_gathered)
        self._gathered.append(job)
        result: T = await self._done(job)
        return result

    def post(self, work: Callable[[], None]) -> None:
        """Call a function that never fails, some time, in a thread that others have used."""
        self._jobs.put([_Job(asyncio.get_running_loop(), work)])

    def _put_gathered(self) -> None:
        jobs, self._gathered = self._gathered, []
        self._jobs.put(jobs)

    async def _done(self, job: _Job) -> Any:  # noqa: ANN401 - the job's result
        self._under_way += 1
        if self._under_way > self._started < self._count:
            self._start()
        try:
            return await job.done
        except asyncio.CancelledError:
            if not job.finished:
                job.done = job.loop.create_future()
                with anyio.CancelScope(shield=True):
                    await asyncio.wait((job.done,))
            raise
        finally:
            self._under_way -= 1

    def _start(self) -> None:
        self._started += 1
        name = f"{self._name}-{self._started}"
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        if self._roam:
            affinity.roam()
        while True:
            jobs = self._jobs.get()
            for job in jobs:
                job.run()
            try:
                jobs[0].loop.call_soon_threadsafe(_deliver, jobs)
            except RuntimeError:
                # Its event loop is closed, and nobody waits any more.
                continue
