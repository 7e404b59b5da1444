"""Calling the application, with what its failures become."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from tusd_py.errors import CallableFailed, TusError
from tusd_py.telemetry import get_logger

T = TypeVar("T")
A = TypeVar("A")

log = get_logger("tusd_py.hooks")


async def call_each(name: str, callables: Sequence[Callable[[A], Awaitable[T]]], given: A) -> T:
    """Call all in order and return what the last one with an answer said.

    Args:
        name: The kind of callable, for the log.
        callables: At least one.
        given: What each is called with.

    Raises:
        Reject: One refused. The others are not called.
        CallableFailed: 500, one raised anything else.
    """
    answer = await _call(name, callables[0], given)
    for callable_ in callables[1:]:
        answer = await _call(name, callable_, given) or answer
    return answer


async def _call(name: str, callable_: Callable[[A], Awaitable[T]], given: A) -> T:
    try:
        return await callable_(given)
    except TusError:
        raise
    except Exception as error:
        log.exception("hook.failed", hook=name)
        raise CallableFailed(name) from error
