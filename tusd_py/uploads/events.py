"""Telling the application that uploads are finished: at least once, in the background."""

import asyncio
import math
from contextlib import suppress
from dataclasses import dataclass

from tusd_py.errors import TusError, UploadNotFound
from tusd_py.metadata import Event

from .engine import Engine, log

_AT_ONCE = 100
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 300.0
# Events of other processes, and the end of the one that delivered them so far, announce nothing.
_LOOK_AGAIN = 1.0


@dataclass(slots=True)
class _Failure:
    """An event that the application could not take."""

    pause: float
    due: float


class Deliveries:
    """Calls ``on_finish`` for each event until it returns without an exception.

    Events are committed with the end of the upload, so that none is lost with the process. One
    that fails is tried again after 1, 2, 4 ... 300 seconds, and at each start of the program; it
    holds up no other.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wake = asyncio.Event()
        self._failures: dict[str, _Failure] = {}

    def notify(self) -> None:
        """Look for new events soon."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._wake.clear()
            pause = _LOOK_AGAIN
            try:
                if self._engine.locks.leads():
                    pause = await self._deliver_all()
            except TusError:
                log.exception("events.failed")
                pause = _FIRST_PAUSE
            with suppress(TimeoutError):
                # Unlike wait_for, this never mistakes the end of the task for that of the pause.
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _deliver_all(self) -> float:
        """Deliver what is due; returns the seconds until it is time to look again."""
        now = asyncio.get_running_loop().time
        events = await self._engine.metadata.events(_AT_ONCE + len(self._failures))
        for event in events:
            failure = self._failures.get(event.id)
            if failure is None or failure.due <= now():
                await self._deliver(event, failure)
        if len(events) >= _AT_ONCE:
            return 0.0 if len(self._failures) < len(events) else self._next_due()
        return self._next_due()

    def _next_due(self) -> float:
        now = asyncio.get_running_loop().time()
        due = min((failure.due for failure in self._failures.values()), default=math.inf)
        return min(max(0.0, due - now), _LOOK_AGAIN)

    async def _deliver(self, event: Event, failure: _Failure | None) -> None:
        try:
            upload = await self._engine.metadata.get(event.upload_id)
            for callable_ in self._engine.hooks.on_finish:
                await callable_(upload, event.id)
        except UploadNotFound:
            pass
        except Exception:
            pause = _FIRST_PAUSE if failure is None else min(failure.pause * 2, _LONGEST_PAUSE)
            due = asyncio.get_running_loop().time() + pause
            self._failures[event.id] = _Failure(pause, due)
            log.exception("hook.failed", hook="on_finish", upload_id=event.upload_id, retry=pause)
            return
        self._failures.pop(event.id, None)
        await self._engine.metadata.settle(event.id)
