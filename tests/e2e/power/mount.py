"""The disk that loses power, mounted: a process of its own that takes orders on stdin.

``cut AFTER SEED`` takes the power away after so many changes; it answers ``cut`` when that has
happened, and from then on every call fails. A negative seed loses all that is not synced, others
decide what had reached the disk by itself. ``off`` takes it away now, unless it is gone. ``on``
gives the power back, and answers ``on``. ``fail CALL NAME`` lets the next ``write`` or
``sync`` of a file with this name fail, and answers ``fail``. ``failed`` asks whether all of these
have, and is answered with ``yes`` or ``no``. ``protect`` refuses every change from now on, and
answers ``protect``.
"""

from __future__ import annotations

import errno
import itertools
import os
import random
import stat
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import mfusepy

from .model import Node, VolatileDisk


class Mounted(mfusepy.Operations):  # type: ignore[misc]
    """A ``VolatileDisk`` as FUSE wants it."""

    use_ns = True

    def __init__(self) -> None:
        self.disk = VolatileDisk()
        self._lock = threading.Lock()
        self._handles: dict[int, Node] = {}
        self._names: dict[int, str] = {}
        self._numbers = itertools.count(1)
        self._left: int | None = None
        self._chance: random.Random | None = None
        self._off = False
        self._protected = False
        self.failing: list[tuple[str, str]] = []

    def cut_after(self, changes: str, seed: str) -> None:
        """Lose power after so many changes from now."""
        with self._lock:
            self._left = int(changes)
            self._chance = random.Random(seed) if int(seed) >= 0 else None  # noqa: S311 - repeatable

    def protect(self) -> None:
        """Refuse changes."""
        with self._lock:
            self._protected = True

    def fail(self, call: str, name: str) -> None:
        """Let the next call of a kind fail on a file."""
        with self._lock:
            self.failing.append((call, name))

    def power_off(self) -> None:
        """Lose power now, if there is any."""
        with self._lock:
            if not self._off:
                self._lose_power()

    def power_on(self) -> None:
        """Let calls through again."""
        with self._lock:
            self._off, self._left, self._chance = False, None, None

    def _lose_power(self) -> None:
        self.disk.lose_power(self._chance)
        self._off = True
        say("cut")

    def _look(self) -> None:
        if self._off:
            raise mfusepy.FuseOSError(errno.EIO)

    def _change(self) -> None:
        self._look()
        if self._protected:
            raise mfusepy.FuseOSError(errno.EROFS)
        if self._left == 0:
            self._lose_power()
            self._look()
        if self._left is not None:
            self._left -= 1

    def _fail(self, call: str, handle: int) -> None:
        fault = (call, self._names[handle])
        if fault in self.failing:
            self.failing.remove(fault)
            raise mfusepy.FuseOSError(errno.EIO)

    def _node(self, path: str, handle: int | None) -> Node:
        return self._handles[handle] if handle in self._handles else self.disk.find(path)

    def _opened(self, node: Node, path: str) -> int:
        number = next(self._numbers)
        self._handles[number], self._names[number] = node, path.rpartition("/")[2]
        return number

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        with self._lock:
            self._look()
            node = self._node(path, fh)
            return {
                "st_ino": node.number,
                "st_mode": node.mode,
                "st_size": len(node.data),
                "st_nlink": 1,
                "st_uid": os.getuid(),
                "st_gid": os.getgid(),
            }

    def readdir(self, path: str, fh: int) -> Iterable[tuple[str, dict[str, int], int]]:
        with self._lock:
            self._look()
            names = self._node(path, fh).names.items()
            # Names with inode 0 are not shown.
            return [
                (name, {"st_ino": node.number, "st_mode": node.mode}, 0) for name, node in names
            ]

    def statfs(self, path: str) -> dict[str, int]:  # noqa: ARG002 - FUSE's signature
        return {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 2**20, "f_bavail": 2**20}

    def open(self, path: str, flags: int) -> int:
        with self._lock:
            node = self.disk.find(path)
            if flags & os.O_TRUNC:
                self._change()
                self.disk.write(node, 0, None)
            self._look()
            return self._opened(node, path)

    def opendir(self, path: str) -> int:
        return self.open(path, 0)

    def create(self, path: str, mode: int, fi: Any = None) -> int:  # noqa: ANN401, ARG002 - FUSE's
        with self._lock:
            self._change()
            return self._opened(self.disk.add(path, stat.S_IFREG | stat.S_IMODE(mode)), path)

    def mknod(self, path: str, mode: int, dev: int) -> int:  # noqa: ARG002 - FUSE's signature
        with self._lock:
            self._change()
            self.disk.add(path, mode)
            return 0

    def release(self, path: str, fh: int) -> int:  # noqa: ARG002 - FUSE's signature
        with self._lock:
            self._handles.pop(fh, None)
            self._names.pop(fh, None)
            return 0

    def releasedir(self, path: str, fh: int) -> int:
        return self.release(path, fh)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        with self._lock:
            self._look()
            return bytes(self._node(path, fh).data[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        with self._lock:
            self._change()
            self._fail("write", fh)
            self.disk.write(self._node(path, fh), offset, bytes(data))
            return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        with self._lock:
            self._change()
            node = self._node(path, fh)
            if length > len(node.data):
                self.disk.write(node, length, b"")
            else:
                self.disk.write(node, length, None)
            return 0

    def mkdir(self, path: str, mode: int) -> int:
        with self._lock:
            self._change()
            self.disk.add(path, stat.S_IFDIR | stat.S_IMODE(mode))
            return 0

    def unlink(self, path: str) -> int:
        with self._lock:
            self._change()
            self.disk.remove(path)
            return 0

    def rmdir(self, path: str) -> int:
        return self.unlink(path)

    def rename(self, old: str, new: str) -> int:
        with self._lock:
            self._change()
            self.disk.rename(old, new)
            return 0

    def link(self, target: str, source: str) -> int:
        """FUSE's names: ``target`` is the new one."""
        with self._lock:
            self._change()
            self.disk.link(source, target)
            return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002 - FUSE's signature
        with self._lock:
            self._change()
            node = self._node(path, fh)
            try:
                self._fail("sync", fh)
            except OSError:
                # As Linux has it: they are taken for written from now on.
                node.written.clear()
                raise
            self.disk.sync(node)
            return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        return self.fsync(path, datasync, fh)

    def chmod(self, path: str, mode: int) -> int:  # noqa: ARG002 - FUSE's signature
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:  # noqa: ARG002 - FUSE's signature
        return 0

    def utimens(self, path: str, times: Any = None) -> int:  # noqa: ANN401, ARG002 - FUSE's
        return 0


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def obey(mounted: Mounted, lines: Iterable[str]) -> None:
    """Do what is ordered, until there is nobody who orders."""
    orders: dict[str, Callable[..., None]] = {
        "cut": mounted.cut_after,
        "off": mounted.power_off,
        "on": mounted.power_on,
        "fail": mounted.fail,
        "protect": mounted.protect,
    }
    for line in lines:
        order, *arguments = line.split()
        if order == "failed":
            say("no" if mounted.failing else "yes")
            continue
        orders[order](*arguments)
        if order in ("on", "fail", "protect"):
            say(order)


def main(folder: str) -> None:
    mounted = Mounted()
    orders = threading.Thread(target=obey, args=(mounted, sys.stdin), daemon=True)
    orders.start()
    # It raises what libfuse says of the signal that ends it.
    with suppress(RuntimeError):
        mfusepy.FUSE(
            mounted,
            folder,
            foreground=True,
            nothreads=True,
            # What the kernel remembers would outlive the loss of power.
            entry_timeout=0,
            attr_timeout=0,
            use_ino=True,
            hard_remove=True,
            fsname="volatile",
        )


if __name__ == "__main__":
    main(sys.argv[1])
