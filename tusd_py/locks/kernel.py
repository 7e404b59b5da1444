"""Locks of the kernel's on single bytes of one file: they vanish with the process that has them."""

import os
import struct
import sys
from pathlib import Path

from tusd_py.errors import StorageError

if sys.platform != "win32":
    import fcntl

    # Those of an open file, where there are any: those of a process go when it closes any other
    # file descriptor of the same file, and do not exclude it from itself.
    _SET = getattr(fcntl, "F_OFD_SETLK", None)
# The C library's struct flock: type, whence, start, length, pid.
_FLOCK = "@hhqqi4x"


class ByteLocks:
    """Locks the bytes of a file that has none: only their numbers matter.

    Args:
        path: The file, created if need be. It stays when all is over: who removed it could lock
            another file than those who have it open.

    Raises:
        StorageError: This system has no such locks.
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        if sys.platform == "win32":
            raise StorageError("Windows has no locks between processes that vanish with them.")
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)

    def close(self) -> None:
        """Give every lock back."""
        os.close(self._fd)

    def take(self, byte: int) -> bool:
        """Lock a byte, if nobody else has it; never waits."""
        try:
            self._set(fcntl.F_WRLCK, fcntl.LOCK_EX | fcntl.LOCK_NB, byte)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def give(self, byte: int) -> None:
        """Unlock a byte."""
        self._set(fcntl.F_UNLCK, fcntl.LOCK_UN, byte)

    def _set(self, kind: int, operation: int, byte: int) -> None:
        if _SET is None:
            fcntl.lockf(self._fd, operation, 1, byte)
        else:
            fcntl.fcntl(self._fd, _SET, struct.pack(_FLOCK, kind, os.SEEK_SET, byte, 1, 0))
