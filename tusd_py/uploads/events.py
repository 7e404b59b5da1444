"""Telling what has happened: at least once, in order for each upload, in the background."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from tusd_py.errors import TusError, UploadNotFound
from tusd_py.hooks.backoff import MOST_ATTEMPTS, pause_after
from tusd_py.hooks.delivery import DeliveryFailed, NotNow
from tusd_py.metadata import Event, Receiver

from .engine import Engine, log

# How many are told at the same time.
_AT_ONCE = 16
# Events of other processes, and the end of the one that delivered them so far, announce nothing.
_LOOK_AGAIN = 1.0
# What those that are being told have to end, when the server stops.
_GRACE = 1.0


class Deliveries:
    """Tells events until their receivers have heard of them.

    Events are committed with the fact that they tell, so that none is lost with the process. Of
    those about one upload for one receiver the next is told after the one before. One that fails
    is tried again after a while, and holds up no other upload's. One that failed too often is dead,
    and stays until somebody looks at it.

    Args:
        engine: The shared parts.
        chance: Gives numbers from 0 to 1 that nobody can foresee.
    """

    def __init__(self, engine: Engine, chance: Callable[[], float] = random.random) -> None:
        self._engine = engine
        self._chance = chance
        self._wake = asyncio.Event()
        self._telling: dict[str, asyncio.Task[None]] = {}
        hooks = engine.config.hooks
        self._most = MOST_ATTEMPTS if hooks is None else hooks.max_attempts

    def notify(self) -> None:
        """Look for new events soon."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                self._wake.clear()
                try:
                    if self._engine.locks.leads():
                        await self._begin()
                except TusError:
                    log.exception("events.failed")
                with suppress(TimeoutError):
                    # Unlike wait_for, it never mistakes the end of the task for that of the pause.
                    async with asyncio.timeout(_LOOK_AGAIN):
                        await self._wake.wait()
        finally:
            await self._end()

    async def _begin(self) -> None:
        """Begin to tell what is due, as far as there is room for it."""
        room = _AT_ONCE - len(self._telling)
        receivers = self._receivers()
        if room <= 0 or not receivers:
            return
        # Those that are being told are due as well, and may be settled by the time that it is told.
        busy = {*self._telling}
        found = await self._engine.metadata.due(self._engine.now(), _AT_ONCE, receivers)
        for event in [event for event in found if event.id not in busy][:room]:
            task = asyncio.create_task(self._tell(event))
            self._telling[event.id] = task
            task.add_done_callback(partial(self._told, event.id))

    def _receivers(self) -> list[Receiver]:
        receivers = []
        if self._engine.hooks.on_finish:
            receivers.append(Receiver.CALLABLES)
        if self._engine.webhooks is not None and self._engine.webhooks.ready:
            receivers.append(Receiver.WEBHOOK)
        return receivers

    def _told(self, event_id: str, _: object) -> None:
        del self._telling[event_id]
        # There is room for another one, and the next about this upload may be due.
        self._wake.set()

    async def _tell(self, event: Event) -> None:
        try:
            failure = await self._attempt(event)
            if failure is None:
                await self._engine.metadata.settle(event.id)
            else:
                await self._put_off(event, failure)
        except NotNow:
            return
        except TusError:
            # It is told again, as after the end of the process.
            log.exception("events.failed", event_id=event.id)
            await asyncio.sleep(_LOOK_AGAIN)

    async def _attempt(self, event: Event) -> str | None:
        """Tell an event once; returns what went wrong.

        Raises:
            NotNow: It was not told, and that says nothing about it.
        """
        try:
            if event.receiver is Receiver.CALLABLES:
                await self._call(event)
            elif self._engine.webhooks is not None:
                await self._engine.webhooks.deliver(event)
        except DeliveryFailed as failure:
            log.warning("hook.failed", hook=event.name, upload_id=event.upload_id, why=str(failure))
            return str(failure)
        except NotNow:
            raise
        except Exception as error:
            log.exception("hook.failed", hook=event.name, upload_id=event.upload_id)
            return f"It raised {type(error).__name__}."
        return None

    async def _call(self, event: Event) -> None:
        try:
            upload = await self._engine.metadata.get(event.upload_id)
        except UploadNotFound:
            return
        for callable_ in self._engine.hooks.on_finish:
            await callable_(upload, event.id)

    async def _put_off(self, event: Event, failure: str) -> None:
        attempts = event.attempts + 1
        pause = pause_after(attempts, self._chance())
        dead = attempts >= self._most
        await self._engine.metadata.change_event(
            replace(
                event,
                attempts=attempts,
                due_at=self._engine.now() + pause,
                error=failure,
                dead=dead,
            )
        )
        if dead:
            log.error("event.dead", hook=event.name, upload_id=event.upload_id, event_id=event.id)

    async def _end(self) -> None:
        """Let those that are being told come to an end, for they would be told again."""
        tasks = [*self._telling.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
