"""Telling how far a transfer is while it runs, and hearing whether it shall go on."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from tusd_py.errors import Reject
from tusd_py.hooks import Request
from tusd_py.hooks.webhooks import Webhooks
from tusd_py.protocol.upload import Upload
from tusd_py.streaming import Interrupt, Stop

from .engine import Engine
from .telling import storage_of

T = TypeVar("T")


class Progress:
    """Tells of one transfer: now and then if it has moved, and once at its end.

    Nothing of that is kept: who does not hear it hears the next, or the end of the upload. One
    message is under way at a time, and the transfer waits for none.

    Args:
        engine: The shared parts.
        current: Gives the upload as it is at the moment.
        request: The one whose body it is.
        interrupt: Ends the transfer.

    Attributes:
        refusal: What the client is told if the transfer was ended.
    """

    def __init__(
        self,
        engine: Engine,
        current: Callable[[], Upload],
        request: Request,
        interrupt: Interrupt,
    ) -> None:
        self._engine = engine
        self._current = current
        self._request = request
        self._interrupt = interrupt
        self._told = -1
        self._over = asyncio.Event()
        self.refusal: Reject | None = None

    async def during(self, transfer: Coroutine[Any, Any, T]) -> T:
        """Run a transfer, and tell how far it is if anybody wants to hear it."""
        webhooks = self._engine.webhooks
        if webhooks is None or not webhooks.wants("post-receive"):
            return await transfer
        self._told = self._current().offset
        self._engine.background.start(self._run(webhooks))
        try:
            return await transfer
        finally:
            self._over.set()

    async def _run(self, webhooks: Webhooks) -> None:
        over = False
        while not over and self.refusal is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(webhooks.progress_interval):
                    await self._over.wait()
            # What it tells after that is the last.
            over = self._over.is_set()
            await self._tell(webhooks)

    async def _tell(self, webhooks: Webhooks) -> None:
        upload = self._current()
        if upload.offset == self._told:
            return
        self._told = upload.offset
        storage = storage_of(self._engine, upload)
        refusal = await webhooks.post_receive(upload, storage, self._request)
        if refusal is not None and not self._over.is_set():
            self.refusal = refusal
            self._interrupt.set(Stop.STOPPED)
