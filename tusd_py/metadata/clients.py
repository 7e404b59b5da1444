"""The port for what is known of clients: worth keeping, and no harm if it gets lost."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    # Commands that only list what is to be told need not know what a network is.
    from tusd_py.network.clients import ClientProfile


class ClientStore(Protocol):
    """Profiles by key. It is open as long as the metadata store is that it belongs to.

    Nothing that concerns uploads waits for it. Several processes may use it: of two that write
    about one client, the last one counts. Every method raises ``MetadataError`` when it fails;
    then nothing was changed.
    """

    async def find(self, keys: Collection[str]) -> Sequence[ClientProfile]:
        """Look up clients, at most a hundred; those that are not there are left out.

        So are those that cannot be read: writing them mends them.
        """
        ...

    async def keep(
        self, profiles: Sequence[ClientProfile], *, known: Collection[str] = ()
    ) -> Sequence[str]:
        """Write profiles.

        Args:
            profiles: At most one for each key.
            known: Keys of those that were there. If one is there no more, it was forgotten.

        Returns:
            The keys of those that were forgotten. They were not written.
        """
        ...

    async def page(self, *, after: str | None = None, limit: int = 100) -> Sequence[ClientProfile]:
        """List profiles in the order of their keys, but for those that cannot be read.

        Args:
            after: Only those whose key comes after this one, to page on.
            limit: At most so many.
        """
        ...

    async def forget(self, keys: Collection[str]) -> Sequence[str]:
        """Remove clients; gives the keys of those that were there."""
        ...

    async def forget_all(self) -> int:
        """Remove all clients; gives how many there were."""
        ...

    async def expire(self, *, since: float, until: float, most: int) -> None:
        """Remove what is old, and what is too much.

        Args:
            since: Unix time in seconds. Those that were last seen before are removed.
            until: Unix time in seconds. So are those that were seen after: a clock was wrong.
            most: So many may stay, those that were seen last.
        """
        ...
