"""The numbers of several processes, in files that all of them can read.

Each process has a file of its own below one folder, mapped into its memory, and holds the kernel's
lock on it for as long as it lives. One that takes the place of a process that has died goes on
counting where that ended, so that counters never go back and files do not pile up.
"""

import mmap
import os
import sys
from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tusd_py.folders import make_folder

from .meters import Meters, Values, places
from .table import DIGEST, SIZE, TABLE, Kind

_SUFFIX = ".meters"
_HEAD = len(DIGEST)
_BYTES = _HEAD + SIZE * 8
_GAUGES = (Kind.SUM, Kind.LATEST)


@dataclass(frozen=True, slots=True)
class Reading:
    """The numbers of one process.

    Attributes:
        values: ``SIZE`` of them.
        alive: It lives; of one that does not, gauges mean nothing.
    """

    values: Values
    alive: bool = True


def clean(folder: Path) -> None:
    """Forget what earlier runs of the server counted; before any process of this run counts."""
    for file in folder.glob(f"*{_SUFFIX}"):
        with suppress(FileNotFoundError):
            file.unlink()


def shared_meters(folder: Path) -> Meters:
    """Make meters whose numbers other processes can read; once in a process, which keeps them.

    Args:
        folder: The same for all of these processes, on a file system of this machine; it is made.

    Raises:
        OSError: The folder cannot be used.
    """
    if sys.platform == "win32":
        return Meters()
    make_folder(str(folder.absolute()))
    fd = _claim(folder)
    _begin(fd)
    # As long as it is mapped, the file stays; the lock stays as long as it is open, which is for
    # as long as the process lives.
    mapped = memoryview(mmap.mmap(fd, _BYTES))
    return Meters(mapped[_HEAD:].cast("d"))


def readings(folder: Path) -> Iterator[Reading]:
    """Read the numbers of all processes, dead ones too."""
    for file in sorted(folder.glob(f"*{_SUFFIX}")):
        with suppress(FileNotFoundError), file.open("rb") as opened:
            data = opened.read()
            # Another one is of another version of the program.
            if len(data) == _BYTES and data[:_HEAD] == DIGEST:
                alive = not _lock(opened.fileno(), shared=True)
                yield Reading(array("d", data[_HEAD:]), alive)


def _claim(folder: Path) -> int:
    """Open the first file that no living process has, and lock it."""
    for number in count():
        fd = os.open(folder / f"{number}{_SUFFIX}", os.O_RDWR | os.O_CREAT, 0o640)
        if _lock(fd):
            return fd
        os.close(fd)
    raise AssertionError


def _begin(fd: int) -> None:
    """Go on counting where another process ended, if it counted the same."""
    if os.fstat(fd).st_size != _BYTES or os.pread(fd, _HEAD, 0) != DIGEST:
        os.ftruncate(fd, 0)
        os.pwrite(fd, DIGEST + bytes(SIZE * 8), 0)
        return
    for metric in TABLE:
        if metric.kind in _GAUGES:
            for _, place in places(metric):
                os.pwrite(fd, bytes(8), _HEAD + place * 8)


def _lock(fd: int, *, shared: bool = False) -> bool:
    """Lock a file, alone or with others who read, if nobody has it; until it is closed."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
