"""Files of uploads that are not recorded yet, so that nobody is left with them after a crash.

Each process owns a folder. There it keeps what it has not published yet, and a list of where it
publishes what is not recorded: a line with a plus before it is published, one with a minus after it
was recorded.
"""

import asyncio
import os
import secrets
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from tusd_py.folders import Folders
from tusd_py.protocol.upload import UploadId
from tusd_py.threads import WorkerThreads

from . import disk, ownership

# With dots, for no id has one.
LIST = "published.list"
_NEW_LIST = "published.new"
# Bytes by which a list grows before what is recorded by now is left out.
_GROWTH = 256 * 1024
# Seconds after which it is written down that an upload is recorded.
_SOON = 1.0


class Journal:
    """The folder of this process, made when it is needed.

    Uploads are announced and settled in the event loop; all else blocks, and is for threads.

    Args:
        parent: Where the folders of all processes are.
        files: The folder that uploads are published in.
        folders: Makes names durable.
        threads: Where what can wait is written.
    """

    def __init__(self, parent: str, files: str, folders: Folders, threads: WorkerThreads) -> None:
        self._threads = threads
        self._folder = f"{parent}/{os.getpid()}-{secrets.token_hex(8)}"
        self._parent = parent
        self._files = files
        self._folders = folders
        self._unrecorded: dict[UploadId, str] = {}
        self._waiting: deque[str] = deque()
        self._writing = threading.Lock()
        self._lock: int | None = None
        self._list: int | None = None
        self._size = 0
        self._longest = 0
        self._planned = False
        self._closed = False

    def path(self, upload_id: UploadId) -> str:
        """Where an upload's bytes are before it is published."""
        return f"{self._folder}/{upload_id}"

    def announce(self, upload_id: UploadId, published: str) -> None:
        """Note the relative path at which an upload will be published before it is recorded."""
        self._unrecorded[upload_id] = published
        self._waiting.append(f"+{published}\n")

    def settle(self, upload_id: UploadId) -> None:
        """Forget an upload that is recorded."""
        self._forget(upload_id)
        if not self._planned:
            # Nobody may come for long who would write that down on the way.
            self._planned = True
            asyncio.get_running_loop().call_later(_SOON, self._threads.post, self._write_later)

    def write(self) -> None:
        """Write down all that was announced and settled so far.

        Before that, nothing of what was announced is published.

        Raises:
            OSError: It failed.
        """
        with self._writing:
            if self._closed:
                return
            lines = _taken(self._waiting)
            try:
                if self._list is None or self._size > self._longest:
                    self._begin_list()
                elif lines:
                    self._size += self._put(self._list, lines, self._size)
            except BaseException:
                self._waiting.extendleft(reversed(lines))
                raise

    def renew(self) -> None:
        """Begin anew after the folder was taken away.

        Raises:
            OSError: It failed; ``FileNotFoundError`` if the folder of all processes is gone too.
        """
        with self._writing:
            self._give_up()
            self._begin_list()

    def remove(self, upload_id: UploadId) -> None:
        """Remove what there is of an upload that will not be recorded."""
        published = self._unrecorded.get(upload_id)
        if published is not None:
            disk.remove(f"{self._files}/{published}")
        disk.remove(self.path(upload_id))
        self._forget(upload_id)

    def close(self) -> None:
        """Give the folder up. What is in it then is nobody's any more."""
        with self._writing:
            self._closed = True
            if self._lock is not None:
                # Where that fails, others find no less than there is.
                with suppress(OSError):
                    self._leave()
            self._give_up()

    def _forget(self, upload_id: UploadId) -> None:
        published = self._unrecorded.pop(upload_id, None)
        if published is not None:
            self._waiting.append(f"-{published}\n")

    def _leave(self) -> None:
        if not self._unrecorded:
            ownership.remove(self._folder)
        elif self._list is not None:
            self._put(self._list, _taken(self._waiting), self._size)

    def _write_later(self) -> None:
        self._planned = False
        with suppress(OSError):
            self.write()

    def _give_up(self) -> None:
        self._end_list()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _begin_list(self) -> None:
        """Put a list of what is not recorded in the place of the last one."""
        self._end_list()
        if self._lock is None:
            self._lock = ownership.own(self._folder, self._parent)
        new = f"{self._folder}/{_NEW_LIST}"
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        try:
            # Of a copy, for the event loop goes on.
            lines = [f"+{published}\n" for published in self._unrecorded.copy().values()]
            self._size = self._put(fd, lines, 0)
            os.replace(new, f"{self._folder}/{LIST}")
            self._folders.sync(self._folder)
        except BaseException:
            os.close(fd)
            raise
        self._longest = 2 * self._size + _GROWTH
        self._list = fd

    def _put(self, fd: int, lines: Sequence[str], offset: int) -> int:
        # At an offset, so that what was written in part is written again in its place.
        size = sum(disk.write_at(fd, ["".join(lines).encode()], offset))
        # Of what was settled too much is known at worst.
        if self._folders.durable and any(line.startswith("+") for line in lines):
            os.fsync(fd)
        return size

    def _end_list(self) -> None:
        if self._list is not None:
            os.close(self._list)
            self._list = None


def _taken(lines: deque[str]) -> list[str]:
    """Take what is there by now; the other end may grow meanwhile."""
    return [lines.popleft() for _ in range(len(lines))]
