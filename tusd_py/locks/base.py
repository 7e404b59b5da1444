"""The port of locks."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from tusd_py.protocol.upload import UploadId


class Locks(Protocol):
    """Leases on uploads, first come, first served.

    A lease excludes every other one on the same upload, and uploads do not affect each other.
    """

    async def start(self) -> None:
        """Get ready; called once per event loop before anything else.

        Raises:
            StorageError: The place of the locks cannot be used.
        """
        ...

    async def close(self) -> None:
        """Give back what ``start`` took."""
        ...

    def leads(self) -> bool:
        """Tell whether this process does what one of all that share these locks must do.

        The first that asks does, until it ends; then it is another.
        """
        ...

    async def others_died(self) -> bool:
        """Tell whether processes that shared these locks died since somebody last asked this.

        The one that leads asks. A process that called ``close`` has not died.
        """
        ...

    def hold(
        self,
        upload_id: UploadId,
        *,
        timeout: float,
        on_revoke: Callable[[], None],
        ask: bool = True,
    ) -> AbstractAsyncContextManager[None]:
        """Hold the lease on an upload for the duration of a ``with`` block.

        Args:
            upload_id: Which upload.
            timeout: Seconds to wait for it; with 0 it is had at once or not at all.
            on_revoke: Called in the event loop, at most once, when another wants the lease. The
                holder saves what it has and leaves soon.
            ask: Ask the present holder to leave.

        Raises:
            LockTimeout: The holder did not leave in time. Answer 423.
        """
        ...
