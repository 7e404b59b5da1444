"""Blocking file work, in plain functions that run in worker threads.

Paths are strings here and in the other modules of this package: to make and take apart a
``pathlib.Path`` costs a small upload as much as a system call.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from tusd_py.folders import Folders

# The kernel takes at most this many buffers in one call.
_MOST_BUFFERS = 1024
_COPY_BUFFER = 1024 * 1024
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_NO_COPY = (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
# Windows opens in text mode without it; elsewhere it does not exist.
_BINARY = getattr(os, "O_BINARY", 0)


def open_to_write(path: str, folders: Folders, *, empty: bool) -> tuple[int, int]:
    """Open a file to write, creating it and its folder; tells its size in bytes.

    With ``empty`` what it has is thrown away.
    """
    extra = os.O_TRUNC if empty else 0
    try:
        fd = _open(path, extra)
    except FileNotFoundError:
        folders.make(os.path.dirname(path))
        fd = _open(path, extra)
    return fd, 0 if empty else os.lseek(fd, 0, os.SEEK_END)


def open_new(path: str) -> int:
    """Open an empty file to write, in a folder that is there."""
    return _open(path, os.O_TRUNC)


def _open(path: str, extra: int) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | _BINARY | extra, 0o640)


def write_at(fd: int, batch: Sequence[bytes], offset: int) -> Iterator[int]:
    """Write buffers at an offset, yielding the bytes written by each system call."""
    left: list[bytes | memoryview] = list(batch)
    while left:
        written = _write_some(fd, left[:_MOST_BUFFERS], offset)
        yield written
        offset += written
        left = _without(left, written)


def _write_some(fd: int, buffers: Sequence[bytes | memoryview], offset: int) -> int:
    if hasattr(os, "pwritev"):
        return os.pwritev(fd, buffers, offset)
    os.lseek(fd, offset, os.SEEK_SET)
    return os.write(fd, buffers[0])


def _without(buffers: list[bytes | memoryview], size: int) -> list[bytes | memoryview]:
    for index, buffer in enumerate(buffers):
        if size < len(buffer):
            return [memoryview(buffer)[size:], *buffers[index + 1 :]]
        size -= len(buffer)
    return []


def begin_writeback(fd: int, offset: int, size: int) -> None:
    """Let the kernel begin to write bytes out, without waiting, where it can be asked to.

    On Linux this advice begins it; pages that are still to be written stay in memory.
    """
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(fd, offset, size, os.POSIX_FADV_DONTNEED)


def move(source: str, target: str, folders: Folders) -> None:
    """Give a file its final name; never over another file, and again without harm.

    Args:
        source: Its name so far.
        target: Its final name.
        folders: Makes the folder of the final name, and the name durable.

    Raises:
        OSError: It failed; ``FileExistsError`` if another file has the name.
    """
    _named(_link, source, target, folders)
    remove(source)


def rename(source: str, target: str, folders: Folders) -> None:
    """The same for a file that nobody else can have given the name to, in one step.

    Raises:
        OSError: It failed.
    """
    _named(os.rename, source, target, folders)


def _named(name: Callable[[str, str], None], source: str, target: str, folders: Folders) -> None:
    try:
        name(source, target)
    except FileNotFoundError:
        if not os.path.exists(target):
            folders.make(os.path.dirname(target))
            name(source, target)
    # Before the old name goes: otherwise the loss of power could take both.
    folders.sync(os.path.dirname(target))


def remove(path: str) -> None:
    """Remove a file, if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def walk(folder: str) -> Iterator[os.DirEntry[str]]:
    """Go through the files below a folder, in no order; what vanishes meanwhile is left out."""
    folders = [folder]
    while folders:
        try:
            entries = os.scandir(folders.pop())
        except FileNotFoundError:
            continue
        with entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield entry


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        if os.path.exists(source) and not os.path.samefile(source, target):
            raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _move_without_links(source, target)


def _move_without_links(source: str, target: str) -> None:
    if os.path.exists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    os.rename(source, target)


def copy_some(source: int, target: int, *, offset: int, size: int) -> int:
    """Copy up to ``size`` bytes to ``offset``, inside the kernel where it can.

    ``source`` is read at its file position. File systems that share blocks (XFS, btrfs) copy no
    byte at all.
    """
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(source, target, size, offset_dst=offset)
        except OSError as error:
            if error.errno not in _NO_COPY:
                raise
    data = os.read(source, min(size, _COPY_BUFFER))
    return sum(write_at(target, [data], offset))
