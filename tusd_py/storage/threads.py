"""Blocking work in worker threads."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

import anyio

from . import disk

P = ParamSpec("P")
T = TypeVar("T")


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
            self._result = disk.translated(self.work)
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


class WorkerThreads:
    """A few threads for file work, started as they are needed.

    The standard library's executor costs twice as much for each call, which small uploads feel.
    The threads do not keep the interpreter from exiting: whoever waits for a call is what does.

    Args:
        count: How many threads at most.
        name: What their names begin with.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._started = 0
        self._under_way = 0

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in a thread.

        A caller that is cancelled leaves only after the call has ended: it may be about to close
        the file that the thread uses.

        Raises:
            StorageError: The operating system refused.
        """
        job = _Job(asyncio.get_running_loop(), partial(work, *args, **kwargs))
        self._under_way += 1
        self._jobs.put(job)
        if self._under_way > self._started < self._count:
            self._start()
        try:
            result: T = await job.done
        except asyncio.CancelledError:
            if not job.finished:
                job.done = job.loop.create_future()
                with anyio.CancelScope(shield=True):
                    await asyncio.wait((job.done,))
            raise
        finally:
            self._under_way -= 1
        return result

    def _start(self) -> None:
        self._started += 1
        name = f"{self._name}-{self._started}"
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            job.run()
            try:
                job.loop.call_soon_threadsafe(job.deliver)
            except RuntimeError:
                # Its event loop is closed, and nobody waits any more.
                continue
