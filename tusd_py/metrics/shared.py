"""The numbers of several processes, in files that all of them can read.

Each process has a file of its own below one folder, writes its numbers there every second, and
holds the kernel's lock on it for as long as it lives. One that takes the place of a process that
has died goes on counting where that ended, so that counters never go back and files do not pile up.

The files are not mapped into memory: after each time that the system has written such a page out,
the next to count would wait for the disk, and that is the event loop.
"""

import os
import sys
from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tusd_py.folders import make_folder

from .meters import Meters
from .numbers import Values, places
from .table import DIGEST, SIZE, TABLE, Kind

PUBLISH_SECONDS = 1.0

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


class SharedMeters(Meters):
    """Meters that other processes can read; one in a process, which has it until its end.

    Args:
        folder: The same for all of these processes, on a file system of this machine; it is made.

    Raises:
        OSError: The folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(str(folder.absolute()))
        self.folder = folder
        # Never closed, for the lock goes with it.
        self._fd = _claim(folder)
        super().__init__(_begin(self._fd))
        self.publish()

    def publish(self) -> None:
        """Write the numbers where others read them. Blocks.

        Raises:
            OSError: It failed.
        """
        numbers = array("d", [self.values[place] for place in range(SIZE)])
        os.pwrite(self._fd, DIGEST + numbers.tobytes(), 0)


def shared_meters(folder: Path) -> Meters:
    """Make ``SharedMeters``, or meters of this process alone where the system has no such locks.

    Raises:
        OSError: The folder cannot be used.
    """
    return Meters() if sys.platform == "win32" else SharedMeters(folder)


def clean(folder: Path) -> None:
    """Forget what earlier runs of the server counted; before any process of this run counts."""
    for file in folder.glob(f"*{_SUFFIX}"):
        with suppress(FileNotFoundError):
            file.unlink()


def readings(meters: Meters) -> list[Reading]:
    """Read the numbers of all processes that share these meters, dead ones too. Blocks.

    Raises:
        OSError: They cannot be read.
    """
    if not isinstance(meters, SharedMeters):
        return [Reading(meters.values)]
    meters.publish()
    return [*_all(meters.folder)]


def _all(folder: Path) -> Iterator[Reading]:
    for file in sorted(folder.glob(f"*{_SUFFIX}")):
        with suppress(FileNotFoundError), file.open("rb") as opened:
            values = _values(opened.read())
            if values is not None:
                yield Reading(values, alive=not _lock(opened.fileno(), shared=True))


def _values(data: bytes) -> "array[float] | None":
    """What a file says; None if it is of another version of the program."""
    good = len(data) == _BYTES and data[:_HEAD] == DIGEST
    return array("d", data[_HEAD:]) if good else None


def _claim(folder: Path) -> int:
    """Open the first file that no living process has, and lock it."""
    for number in count():
        fd = os.open(folder / f"{number}{_SUFFIX}", os.O_RDWR | os.O_CREAT, 0o640)
        if _lock(fd):
            return fd
        os.close(fd)
    raise AssertionError


def _begin(fd: int) -> list[float]:
    """Go on counting where another process ended, if it counted the same."""
    left = _values(os.pread(fd, _BYTES + 1, 0))
    if left is None:
        os.ftruncate(fd, 0)
        return [0.0] * SIZE
    for metric in TABLE:
        if metric.kind in _GAUGES:
            for _, place in places(metric):
                left[place] = 0.0
    return left.tolist()


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
