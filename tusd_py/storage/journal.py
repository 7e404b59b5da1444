"""Files of uploads that are not recorded yet, so that nobody is left with them after a crash.

Each process owns a folder. There it keeps what it has not published yet, and a list of where it
publishes what may not be recorded.
"""

import os
import secrets
import threading
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress

from tusd_py.folders import Folders
from tusd_py.protocol.upload import UploadId

from . import disk, ownership

# With dots, for no id has one.
_LIST = "published.list"
_NEW_LIST = "published.new"
# Bytes by which a list grows before what is recorded by now is left out.
_GROWTH = 256 * 1024


class Journal:
    """The folder of this process, made when it is needed.

    Uploads are announced and settled in the event loop; all else blocks, and is for threads.

    Args:
        parent: Where the folders of all processes are.
        files: The folder that uploads are published in.
        folders: Makes names durable.
    """

    def __init__(self, parent: str, files: str, folders: Folders) -> None:
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

    def path(self, upload_id: UploadId) -> str:
        """Where an upload's bytes are before it is published."""
        return f"{self._folder}/{upload_id}"

    def announce(self, upload_id: UploadId, published: str) -> None:
        """Note the relative path at which an upload will be published before it is recorded."""
        self._unrecorded[upload_id] = published
        self._waiting.append(f"{published}\n")

    def settle(self, upload_id: UploadId) -> None:
        """Forget an upload that is recorded."""
        self._unrecorded.pop(upload_id, None)

    def write(self) -> None:
        """Write down all that was announced so far. Before that, nothing of it is published.

        Raises:
            OSError: It failed.
        """
        with self._writing:
            lines = _taken(self._waiting)
            try:
                if self._list is None or self._size > self._longest:
                    self._begin_list()
                elif lines:
                    self._size += self._put(self._list, lines, self._size)
            except BaseException:
                self._waiting.extendleft(reversed(lines))
                raise

    def remove(self, upload_id: UploadId) -> None:
        """Remove what there is of an upload that will not be recorded."""
        published = self._unrecorded.get(upload_id)
        if published is not None:
            disk.remove(f"{self._files}/{published}")
        disk.remove(self.path(upload_id))
        self.settle(upload_id)

    def close(self) -> None:
        """Give the folder up. What is in it then is nobody's any more."""
        with self._writing:
            self._end_list()
            if self._lock is None:
                return
            if not self._unrecorded:
                # Where that fails, others find nothing in it that matters.
                with suppress(OSError):
                    ownership.remove(self._folder)
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
            lines = [f"{published}\n" for published in self._unrecorded.copy().values()]
            self._size = self._put(fd, lines, 0)
            os.replace(new, f"{self._folder}/{_LIST}")
            self._folders.sync(self._folder)
        except BaseException:
            os.close(fd)
            raise
        self._longest = 2 * self._size + _GROWTH
        self._list = fd

    def _put(self, fd: int, lines: Sequence[str], offset: int) -> int:
        # At an offset, so that what was written in part is written again in its place.
        size = sum(disk.write_at(fd, ["".join(lines).encode()], offset))
        if self._folders.durable:
            os.fsync(fd)
        return size

    def _end_list(self) -> None:
        if self._list is not None:
            os.close(self._list)
            self._list = None


class Abandoned:
    """What a process left that has ended. Everything here blocks.

    Args:
        folder: The process's, owned by now.
        files: The folder that uploads are published in.
        folders: Makes removals durable.

    Attributes:
        published: The paths of uploads that it may not have recorded.
    """

    def __init__(self, folder: str, files: str, folders: Folders) -> None:
        self._folder = folder
        self._files = files
        self._folders = folders
        self.published = _read(f"{folder}/{_LIST}")

    def remove(self, recorded: Collection[str]) -> int:
        """Remove all but what is recorded; tells how many uploads had anything to be removed.

        Args:
            recorded: Those of ``published`` that somebody's record leads to.
        """
        # What is not published yet has an id for a name, without a dot.
        removed = sum("." not in name for name in os.listdir(self._folder))
        for published in self.published - set(recorded):
            removed += self._unpublish(f"{self._files}/{published}")
        ownership.remove(self._folder)
        return removed

    def _unpublish(self, path: str) -> bool:
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        self._folders.sync(os.path.dirname(path))
        return True


def _taken(lines: deque[str]) -> list[str]:
    """Take what is there by now; the other end may grow meanwhile."""
    return [lines.popleft() for _ in range(len(lines))]


def _read(path: str) -> frozenset[str]:
    """Read a list as far as it is good: of a line that is not whole nothing was published."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.readlines()
    except FileNotFoundError:
        return frozenset()
    whole = (line[:-1] for line in lines if line.endswith("\n"))
    return frozenset(line for line in whole if line and line.isprintable())
