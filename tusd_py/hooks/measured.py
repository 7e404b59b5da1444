"""Counting what becomes of calls of the application."""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from tusd_py.errors import Reject
from tusd_py.metrics import Meters

from .delivery import NotNow

P = ParamSpec("P")
T = TypeVar("T")


def measured(
    hook: str, callable_: Callable[P, Awaitable[T]], meters: Meters
) -> Callable[P, Awaitable[T]]:
    """Make a callable that does the same and is counted."""

    @wraps(callable_)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with counted(hook, meters):
            return await callable_(*args, **kwargs)

    return call


@contextmanager
def counted(hook: str, meters: Meters) -> Iterator[None]:
    """Count a call by what becomes of it, and how long it takes."""
    began, outcome = time.perf_counter(), "failed"
    try:
        yield
        outcome = "ok"
    except Reject:
        outcome = "rejected"
        raise
    except NotNow:
        outcome = "skipped"
        raise
    finally:
        meters.hook(hook, outcome, time.perf_counter() - began)
