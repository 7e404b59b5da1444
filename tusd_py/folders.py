"""Folders, and names in them that survive the loss of power. Everything here blocks."""

import os
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


def make_folder(folder: str, *, durable: bool = False) -> None:
    """Create a folder and what is above it; with ``durable`` their names survive.

    Args:
        folder: An absolute path.
        durable: Its own name is made durable too if it is there already, as far as this may be
            done: a process that died may have left it behind.
    """
    missing = []
    place = folder
    while not os.path.isdir(place):
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


class DurableFolders:
    """Makes names durable, those of the folders that lead to them included.

    A folder that is there may be one that another thread has made just now, or a process that died:
    so what counts is which ones this object has synced.

    Args:
        root: An absolute path, whose own name is durable.
    """

    def __init__(self, root: str) -> None:
        self._durable = {root}

    def sync(self, folder: str) -> None:
        """Make the names in a folder below the root durable, and its own."""
        self._make_durable(folder)
        sync_folder(folder)

    def _make_durable(self, folder: str) -> None:
        if folder not in self._durable:
            self.sync(os.path.dirname(folder))
            self._durable.add(folder)
