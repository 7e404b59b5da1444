"""A machine whose interfaces are as a test says, and what watches it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tusd_py.network import Monitor, Snapshot


class Machine:
    """Has the interfaces that a test says."""

    def __init__(self, interfaces: Snapshot) -> None:
        self.interfaces = interfaces
        self.failures = 0

    def __call__(self) -> Snapshot:
        if self.failures:
            self.failures -= 1
            raise OSError("the system does not say")
        return self.interfaces


@asynccontextmanager
async def monitored(machine: Machine, settle: float = 0.1) -> AsyncIterator[Monitor]:
    async with Monitor(poll=0.01, settle=settle, read=machine, doorbell=None) as monitor:
        yield monitor
