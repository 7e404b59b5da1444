"""Blocking work in worker threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import ParamSpec, TypeVar

import anyio

from . import disk

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(pool: Executor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run file work in a thread.

    A caller that is cancelled leaves only after the work has ended: it may be about to close the
    file that the thread uses.

    Raises:
        StorageError: The operating system refused.
    """
    loop = asyncio.get_running_loop()
    running = loop.run_in_executor(pool, lambda: disk.translated(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        # anyio cancels again and again.
        with anyio.CancelScope(shield=True):
            await asyncio.wait((running,))
        raise
