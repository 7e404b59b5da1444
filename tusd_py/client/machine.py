"""This machine's links, watched while somebody uploads."""

from typing import Final, Self

from tusd_py.network import InterfaceKind, LinkChanges, LinkNews, Monitor, Snapshot, carrier
from tusd_py.network.profiles import PROFILES

# Links that break now and then, and cost what was under way with servers that forget it.
_RADIO: Final = (InterfaceKind.WIFI, InterfaceKind.LTE, InterfaceKind.CELLULAR)


class WatchedMachine:
    """Sees the links of this machine; a context manager.

    Raises:
        OSError: On entering, the system does not tell its interfaces.
    """

    def __init__(self, monitor: Monitor | None = None) -> None:
        self._monitor = monitor or Monitor()
        self._changes = LinkChanges(self._monitor)

    async def __aenter__(self) -> Self:
        await self._monitor.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._changes.close()
        await self._monitor.close()

    @property
    def interfaces(self) -> Snapshot:
        return self._monitor.interfaces

    async def news(self) -> LinkNews:
        return await self._changes.news()

    def chunk_size(self, local: str) -> int | None:
        interface = carrier(self.interfaces, local)
        if interface is None or interface.kind not in _RADIO:
            return None
        return PROFILES[interface.kind].chunk
