"""Folders that a process owns for as long as it lives, by the kernel's lock on a file in it."""

import os
import sys
from contextlib import suppress

from tusd_py.folders import make_folder

# With a dot, for no id has one.
_LOCK = "process.lock"


def own(folder: str, parent: str) -> int:
    """Make a folder and own it for as long as the returned file is open. Blocks.

    Raises:
        OSError: It failed; ``FileNotFoundError`` if ``parent`` is missing.
    """
    while True:
        make_folder(folder, never=(parent,))
        try:
            fd = _open(folder)
        except FileNotFoundError:
            # Somebody has taken the new folder, not locked yet, for one that was left.
            continue
        _lock(fd, wait=True)
        if _is_there(folder, fd):
            return fd
        os.close(fd)


def inherit(folder: str) -> int | None:
    """Own the folder of a process that has ended; None if it has not."""
    if sys.platform == "win32":
        # No lock tells, so it could be anyone's.
        return None
    with suppress(FileNotFoundError):
        fd = _open(folder)
        if _lock(fd, wait=False) and _is_there(folder, fd):
            return fd
        os.close(fd)
    return None


def remove(folder: str) -> None:
    """Remove an owned folder with the files in it. Blocks."""
    names = os.listdir(folder)
    # The lock goes last, for who finds none takes the folder for a new one.
    for name in sorted(names, key=_LOCK.__eq__):
        os.unlink(f"{folder}/{name}")
    os.rmdir(folder)


def _open(folder: str) -> int:
    return os.open(f"{folder}/{_LOCK}", os.O_RDWR | os.O_CREAT, 0o640)


def _lock(fd: int, *, wait: bool) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _is_there(folder: str, fd: int) -> bool:
    """The file was not removed by its owner before the lock was free."""
    try:
        return os.path.samestat(os.stat(f"{folder}/{_LOCK}"), os.fstat(fd))
    except FileNotFoundError:
        return False
