"""A disk that loses everything that was not synced when the power goes."""

from __future__ import annotations

import errno
import os
import random
import stat
from dataclasses import dataclass, field


@dataclass(eq=False)
class Node:
    """A file or a folder: what a program sees of it now, and what would be left of it.

    Attributes:
        number: Its inode.
        mode: As ``stat`` tells it.
        data: The bytes of a file.
        names: The names in a folder.
        safe_data: The bytes that were synced.
        safe_names: The names that were synced.
        written: What was done to the bytes since, in order.
    """

    number: int
    mode: int
    data: bytearray = field(default_factory=bytearray)
    names: dict[str, Node] = field(default_factory=dict)
    safe_data: bytearray = field(default_factory=bytearray)
    safe_names: dict[str, Node] = field(default_factory=dict)
    written: list[Write] = field(default_factory=list)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes at an offset, or a new size where there are no bytes."""

    offset: int
    data: bytes | None

    def apply(self, content: bytearray) -> None:
        end = self.offset + len(self.data or b"")
        if self.data is None:
            del content[self.offset :]
        if len(content) < end:
            content.extend(bytes(end - len(content)))
        if self.data is not None:
            content[self.offset : end] = self.data


@dataclass(frozen=True, slots=True)
class Naming:
    """One change of names: all of it or nothing survives."""

    changes: tuple[tuple[Node, str, Node | None], ...]

    def keys(self) -> set[tuple[Node, str]]:
        return {(folder, name) for folder, name, _ in self.changes}

    def apply_safely(self) -> None:
        for folder, name, node in self.changes:
            _put(folder.safe_names, name, node)


class VolatileDisk:
    """Folders and files in memory, by path.

    A sync of a file makes its bytes safe, and none of its names. A sync of a folder makes the names
    in it safe, and no bytes. POSIX promises no more, and file systems differ in what they add.
    """

    def __init__(self) -> None:
        self._count = 0
        self._namings: list[Naming] = []
        self.root = self._new(stat.S_IFDIR | 0o755)

    def find(self, path: str) -> Node:
        """The node at a path; raises ``FileNotFoundError``."""
        node = self.root
        for name in path.strip("/").split("/"):
            if name:
                try:
                    node = node.names[name]
                except KeyError:
                    raise _error(errno.ENOENT) from None
        return node

    def add(self, path: str, mode: int) -> Node:
        """Create a file or a folder."""
        node = self._new(mode)
        self._rename((path, node))
        return node

    def link(self, source: str, target: str) -> None:
        """Give a file a second name."""
        node = self.find(source)
        folder, name = self._place(target)
        if name in folder.names:
            raise _error(errno.EEXIST)
        self._rename((target, node))

    def rename(self, source: str, target: str) -> None:
        """Move a name, over another one if need be."""
        self._rename((target, self.find(source)), (source, None))

    def remove(self, path: str) -> None:
        """Remove a name."""
        if self.find(path).names:
            raise _error(errno.ENOTEMPTY)
        self._rename((path, None))

    def write(self, node: Node, offset: int, data: bytes | None) -> None:
        """Write bytes, or cut to a size if there are none."""
        write = Write(offset, data)
        write.apply(node.data)
        node.written.append(write)

    def sync(self, node: Node) -> None:
        """Make what a file or a folder holds safe."""
        for write in node.written:
            write.apply(node.safe_data)
        node.written.clear()
        if node.is_folder:
            self._make_safe({naming for naming in self._namings if _concerns(naming, node)})

    def lose_power(self, chance: random.Random | None = None) -> None:
        """Go back to what is safe.

        Args:
            chance: Decides what else had reached the disk by itself; None is nothing.
        """
        if chance is not None:
            self._make_safe({naming for naming in self._namings if chance.random() < 0.5})
        self._namings.clear()
        self._restore(self.root, chance)

    def _restore(self, node: Node, chance: random.Random | None) -> None:
        for write in node.written:
            if chance is not None and chance.random() < 0.5:
                write.apply(node.safe_data)
        node.written.clear()
        node.data = bytearray(node.safe_data)
        node.names = dict(node.safe_names)
        for inner in node.names.values():
            self._restore(inner, chance)

    def _new(self, mode: int) -> Node:
        self._count += 1
        return Node(self._count, mode)

    def _place(self, path: str) -> tuple[Node, str]:
        above, _, name = path.rpartition("/")
        return self.find(above), name

    def _rename(self, *changes: tuple[str, Node | None]) -> None:
        naming = Naming(tuple((*self._place(path), node) for path, node in changes))
        for folder, name, node in naming.changes:
            _put(folder.names, name, node)
        self._namings.append(naming)

    def _make_safe(self, chosen: set[Naming]) -> None:
        """Make changes of names safe, and the earlier ones of the same names with them."""
        keys: set[tuple[Node, str]] = set()
        for naming in reversed(self._namings):
            if naming in chosen or keys & naming.keys():
                chosen.add(naming)
                keys |= naming.keys()
        for naming in self._namings:
            if naming in chosen:
                naming.apply_safely()
        self._namings = [naming for naming in self._namings if naming not in chosen]


def _concerns(naming: Naming, folder: Node) -> bool:
    return any(changed is folder for changed, _, _ in naming.changes)


def _put(names: dict[str, Node], name: str, node: Node | None) -> None:
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


def _error(code: int) -> OSError:
    return OSError(code, os.strerror(code))
