"""What a process that has ended published and did not record; see ``journal``."""

import os
from collections.abc import Collection

from tusd_py.folders import Folders

from . import ownership
from .journal import LIST
from .layout import is_inside


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
        self.published = _read(f"{folder}/{LIST}")

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
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return False
        self._folders.sync(os.path.dirname(path))
        return True


def _read(path: str) -> frozenset[str]:
    """Read a list as far as it is good: of a line that is not whole nothing was published."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.readlines()
    except FileNotFoundError:
        return frozenset()
    published = set()
    for line in lines:
        sign, place = line[:1], line[1:-1]
        if sign == "+" and line.endswith("\n") and is_inside(place):
            published.add(place)
        elif sign == "-":
            published.discard(place)
    return frozenset(published)
