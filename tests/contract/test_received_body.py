import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from tests.support.buffers import usual
from tusd_py.streaming.asking import Asking
from tusd_py.streaming.budget import BufferBudget
from tusd_py.streaming.received import ReceivedBody
from tusd_py.testing import BodySourceContract
from tusd_py.testing.script import Data, Disconnect, Script, Stall
from tusd_py.testing.sources import OpenSource

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


def receive_of(script: Script, *, careless: bool) -> Receive:
    """An ASGI ``receive`` that tells a script; after it nothing comes.

    Args:
        script: What comes.
        careless: A call that is cancelled takes what comes next along.
    """
    left = [*script]

    async def receive() -> MutableMapping[str, Any]:
        while left and isinstance(stall := left[0], Stall):
            stall.reached.set()
            try:
                await (stall.until or asyncio.Event()).wait()
            except asyncio.CancelledError:
                if careless:
                    del left[:2]
                raise
            left.pop(0)
        if not left:
            await asyncio.Event().wait()
        event = left.pop(0)
        if isinstance(event, Disconnect):
            return {"type": "http.disconnect"}
        if isinstance(event, Data):
            return {"type": "http.request", "body": event.data, "more_body": True}
        return {"type": "http.request"}

    return receive


class TestReceivedBody(BodySourceContract):
    @pytest.fixture
    def budget(self) -> BufferBudget:
        return BufferBudget(64 * 1024 * 1024)

    @pytest.fixture(params=[False, True], ids=["repeatable", "careless"])
    def careless(self, request: pytest.FixtureRequest) -> bool:
        return bool(request.param)

    @pytest.fixture
    async def open_source(self, budget: BufferBudget, careless: bool) -> AsyncIterator[OpenSource]:
        @asynccontextmanager
        async def opened(script: Script, *, idle_timeout: float = 0) -> AsyncIterator[ReceivedBody]:
            asking = Asking(receive_of(script, careless=careless), repeatable=not careless)
            yield ReceivedBody(asking, partial(usual, budget), idle_timeout=idle_timeout)

        yield opened
        assert budget.used == 0
