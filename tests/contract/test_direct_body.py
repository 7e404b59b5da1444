"""The direct body keeps the promises of a body source, over real sockets and our own protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from tests.support.buffers import usual
from tests.support.proxy import unacknowledged
from tusd_py.serving import handover
from tusd_py.serving.connection import HttpConnection
from tusd_py.serving.protocol import TusProtocol
from tusd_py.streaming.asking import Asking
from tusd_py.streaming.budget import BufferBudget
from tusd_py.streaming.connection import EXTENSION
from tusd_py.streaming.direct import DirectBody
from tusd_py.streaming.received import ReceivedBody
from tusd_py.testing import BodySourceContract
from tusd_py.testing.script import Data, Disconnect, End, Script, Stall
from tusd_py.testing.sources import LONG, OpenSource
from tusd_py.threads import WorkerThreads

_THREADS = WorkerThreads(2, "test")


class Request:
    """A request whose body a test sends, in the hands of an application that a test plays.

    Args:
        idle_timeout: In seconds, for the source.
        unread: What comes stays in the kernel until the source takes it.
    """

    def __init__(self, budget: BufferBudget, *, idle_timeout: float, unread: bool) -> None:
        self.ended = asyncio.Event()
        self.begun: asyncio.Future[DirectBody] = asyncio.get_running_loop().create_future()
        self._budget = budget
        self._idle_timeout = idle_timeout
        self._unread = unread
        self.protocols: list[TusProtocol] = []
        self.connection: HttpConnection

    async def application(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        self.connection = scope["extensions"][EXTENSION]
        if self._unread:
            self.protocols[0].flow.pause_reading()
        received = ReceivedBody(
            Asking(receive, repeatable=True),
            partial(usual, self._budget),
            idle_timeout=self._idle_timeout,
            connection=self.connection,
        )
        self.begun.set_result(
            DirectBody(received, self.connection, _THREADS, idle_timeout=self._idle_timeout)
        )
        await self.ended.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    def protocol(self) -> TusProtocol:
        config = uvicorn.Config(
            self.application, interface="asgi3", proxy_headers=False, log_config=None, ws="none"
        )
        self.protocols.append(TusProtocol(config, ServerState(), {}, asyncio.get_running_loop()))
        return self.protocols[-1]


async def play(script: Script, writer: asyncio.StreamWriter, connection: HttpConnection) -> None:
    """Do what the script says."""
    sender = writer.get_extra_info("socket")
    for event in script:
        if isinstance(event, Data):
            writer.write(event.data)
            await writer.drain()
        elif isinstance(event, Stall):
            while unacknowledged(sender) or connection.undelivered():  # noqa: ASYNC110 - the kernel's
                await asyncio.sleep(0.001)
            event.reached.set()
            await (event.until or asyncio.Event()).wait()
        elif isinstance(event, Disconnect):
            writer.close()


async def arrival(script: Script, connection: HttpConnection) -> None:
    """Wait for the first byte, if there is one to come before anything else."""
    first = next((event for event in script if event != Data(b"")), End())
    while isinstance(first, Data) and not connection.undelivered():  # noqa: ASYNC110 - the kernel's
        await asyncio.sleep(0.001)


class TestDirectBody(BodySourceContract):
    knows_the_length = True

    @pytest.fixture(params=[True, False], ids=["unread", "read"])
    def unread(self, request: pytest.FixtureRequest) -> bool:
        return bool(request.param)

    @pytest.fixture
    def budget(self) -> BufferBudget:
        return BufferBudget(64 * 1024 * 1024)

    @pytest.fixture
    async def open_source(
        self, budget: BufferBudget, unread: bool, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[OpenSource]:
        monkeypatch.setattr(handover, "SMALLEST", 1)

        @asynccontextmanager
        async def opened(script: Script, *, idle_timeout: float = 0) -> AsyncIterator[DirectBody]:
            request = Request(budget, idle_timeout=idle_timeout, unread=unread)
            loop = asyncio.get_running_loop()
            server = await loop.create_server(request.protocol, "127.0.0.1", 0)
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            length = sum(len(event.data) for event in script if isinstance(event, Data))
            # A body that is not to end lacks a byte.
            length += not isinstance(script[-1], End)
            writer.write(b"PATCH / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length)
            source = await asyncio.wait_for(request.begun, LONG)
            playing = asyncio.create_task(play(script, writer, request.connection))
            await arrival(script, request.connection)
            try:
                yield source
            finally:
                playing.cancel()
                request.ended.set()
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()
                server.close()
                for protocol in request.protocols:
                    protocol.transport.abort()

        yield opened
        assert budget.used == 0
