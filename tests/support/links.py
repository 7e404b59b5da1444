"""A link that changes when a test says so."""

from __future__ import annotations

import asyncio


class ScriptedLinks:
    """Stands in for whoever watches this machine's interfaces."""

    def __init__(self) -> None:
        self._changes: asyncio.Queue[str] = asyncio.Queue()

    def change(self, why: str = "wlan0 is down") -> None:
        """Let the link change."""
        self._changes.put_nowait(why)

    async def changed(self) -> str:
        return await self._changes.get()


class BrokenLinks:
    """A watcher that the system gives nothing to."""

    async def changed(self) -> str:
        raise PermissionError(1, "Operation not permitted")
