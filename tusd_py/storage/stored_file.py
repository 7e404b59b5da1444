"""Reading one upload's file."""

import os
from collections.abc import Callable

from tusd_py.protocol.upload import Upload
from tusd_py.threads import WorkerThreads


class StoredFile:
    """Implements ``base.OpenFile``: a descriptor that worker threads open and close.

    Args:
        threads: Where it is closed; the last one who closes a removed file waits for the disk.
    """

    def __init__(self, threads: WorkerThreads) -> None:
        self.path = ""
        self._threads = threads
        self._fd: int | None = None

    def open(self, open_: Callable[[Upload], tuple[int, str] | None], upload: Upload) -> bool:
        """Open the file in a worker thread; tells whether there is one.

        Raises:
            OSError: It failed.
        """
        opened = open_(upload)
        if opened is not None:
            self._fd, self.path = opened
        return opened is not None

    def fileno(self) -> int:
        if self._fd is None:
            raise ValueError("The file is closed.")
        return self._fd

    async def close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            await self._threads.run(os.close, fd)
