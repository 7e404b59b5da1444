"""Whether uploads can be taken now, asked without taking one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tusd_py.errors import MetadataError, StorageError
from tusd_py.protocol.upload import UploadId
from tusd_py.quantities import format_size
from tusd_py.storage import Probing

from .engine import Engine, log

# Seconds that a check may take.
_PATIENCE = 2.0
# Nobody has this id.
_NOBODY = UploadId("")

Check = Callable[[], Awaitable[str | None]]
"""Says in a sentence what is wrong, or nothing. It names no path and no one's data."""


@dataclass(slots=True)
class Readiness:
    """The checks of one engine. One that hangs is waited for, and not begun again beside itself.

    Args:
        engine: The shared parts.
    """

    engine: Engine
    _running: dict[str, asyncio.Task[str | None]] = field(default_factory=dict)

    async def problems(self) -> dict[str, str | None]:
        """Check everything at once; gives what is wrong by the name of the check, or None."""
        checks: Mapping[str, Check] = {
            "disk": self._disk,
            "database": self._database,
            "room": self._room,
            **self.engine.checks,
        }
        tasks = {name: self._task(name, check) for name, check in checks.items()}
        await asyncio.wait(tasks.values(), timeout=_PATIENCE)
        return {name: self._result(name, task) for name, task in tasks.items()}

    def _task(self, name: str, check: Check) -> asyncio.Task[str | None]:
        task = self._running.get(name)
        if task is None:
            task = self._running[name] = self.engine.background.start(_failing(name, check))
        return task

    def _result(self, name: str, task: asyncio.Task[str | None]) -> str | None:
        if not task.done():
            return f"There is no answer within {_PATIENCE:.0f} seconds."
        self._running.pop(name, None)
        return "The server is stopping." if task.cancelled() else task.result()

    async def _disk(self) -> str | None:
        if not isinstance(self.engine.storage, Probing):
            return None
        try:
            await self.engine.storage.probe()
        except StorageError:
            log.warning("readiness.disk_failed", exc_info=True)
            return "The disk cannot be written."
        return None

    async def _database(self) -> str | None:
        try:
            # A transaction that changes nothing, but would have to be allowed to.
            await self.engine.metadata.touch(_NOBODY)
            await self.engine.metadata.page(limit=1)
        except (MetadataError, StorageError):
            log.warning("readiness.database_failed", exc_info=True)
            return "The database does not answer, or cannot be written."
        return None

    async def _room(self) -> str | None:
        least = self.engine.config.min_free
        free = None if least is None else await self.engine.storage.free()
        if least is None or free is None or free >= least:
            return None
        return f"There is less room left than {format_size(least)}."


async def _failing(name: str, check: Check) -> str | None:
    try:
        return await check()
    except Exception:
        log.exception("readiness.check_failed", check=name)
        return "The check itself failed."
