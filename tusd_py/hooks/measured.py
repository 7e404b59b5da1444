"""Counting what becomes of calls of the application."""

import time
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from tusd_py.errors import Reject
from tusd_py.metrics import Meters

P = ParamSpec("P")
T = TypeVar("T")


def measured(
    hook: str, callable_: Callable[P, Awaitable[T]], meters: Meters
) -> Callable[P, Awaitable[T]]:
    """Make a callable that does the same and is counted."""

    @wraps(callable_)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        began, outcome = time.perf_counter(), "failed"
        try:
            answer = await callable_(*args, **kwargs)
            outcome = "ok"
        except Reject:
            outcome = "rejected"
            raise
        finally:
            meters.hook(hook, outcome, time.perf_counter() - began)
        return answer

    return call
