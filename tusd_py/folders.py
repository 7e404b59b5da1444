"""Folders, and names in them that survive the loss of power. Everything here blocks."""

import errno
import os
from collections.abc import Collection
from contextlib import suppress


def sync_folder(folder: str) -> None:
    """Make the names in a folder durable, where the platform can."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: str, *, durable: bool = False, never: Collection[str] = ()) -> None:
    """Create a folder and what is above it; with ``durable`` their names survive.

    Args:
        folder: An absolute path.
        durable: Its own name is made durable too if it is there already, as far as this may be
            done: a process that died may have left it behind.
        never: Folders that are not made.

    Raises:
        OSError: It failed; ``FileNotFoundError`` if one of ``never`` is missing.
    """
    missing = []
    place = folder
    while not os.path.isdir(place):
        if place in never:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), place)
        missing.append(place)
        place = os.path.dirname(place)
    for new in reversed(missing):
        with suppress(FileExistsError):
            os.mkdir(new)
        if durable:
            sync_folder(os.path.dirname(new))
    if durable and not missing:
        with suppress(OSError):
            sync_folder(os.path.dirname(folder))


class Folders:
    """Makes folders below some that were made at the start, and names in them durable.

    A folder that is there may be one that another thread has made just now, or a process that died:
    so what counts is which ones this object has synced.

    Args:
        bases: Absolute paths of folders with durable names. They are never made again: one that
            is missing took its uploads along, and must not look empty.
        durable: Whether ``sync`` does anything.
    """

    def __init__(self, *bases: str, durable: bool) -> None:
        self.durable = durable
        self._bases = frozenset(bases)
        self._synced = {*bases}

    def check(self) -> None:
        """See that the bases are there.

        Raises:
            FileNotFoundError: One is not.
        """
        for base in self._bases:
            os.stat(base)

    def make(self, folder: str) -> None:
        """Create a folder below a base.

        Raises:
            OSError: It failed, or the base is gone.
        """
        make_folder(folder, never=self._bases)

    def sync(self, folder: str) -> None:
        """Make the names in a folder durable, and its own below the base."""
        if self.durable:
            self._make_durable(folder)
            sync_folder(folder)

    def _make_durable(self, folder: str) -> None:
        if folder not in self._synced:
            self.sync(os.path.dirname(folder))
            self._synced.add(folder)
