"""Moving bytes from a socket into a file, in worker threads."""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress

from tusd_py.streaming.inlet import CANNOT_SPLICE, Inlet

from . import disk

# What the system lets anyone have in a pipe.
_PIPE = 1024 * 1024


def pour(inlet: Inlet, fd: int, offset: int, size: int) -> Iterator[int]:
    """Write what has come at an offset, yielding the bytes written by each system call.

    Raises:
        OSError: Not all that was read could be written.
    """
    if not hasattr(os, "splice"):
        yield from _copy(inlet, fd, offset, size)
        return
    pipe = _pipes.pop() if _pipes else _Pipe()
    try:
        yield from _splice(inlet, pipe, fd, offset, size)
    except BaseException:
        # It may have bytes that are nobody's.
        pipe.close()
        raise
    _pipes.append(pipe)


class _Pipe:
    """A pipe that is empty between two uses."""

    def __init__(self) -> None:
        from fcntl import F_SETPIPE_SZ, fcntl

        self.exit, self.entrance = os.pipe()
        # Who has many of them may be granted less.
        with suppress(OSError):
            fcntl(self.entrance, F_SETPIPE_SZ, _PIPE)

    def close(self) -> None:
        os.close(self.exit)
        os.close(self.entrance)


# As many as there have been threads that poured at the same time.
_pipes: list[_Pipe] = []


def _copy(inlet: Inlet, fd: int, offset: int, size: int) -> Iterator[int]:
    if data := inlet.read(size):
        yield from disk.write_at(fd, [data], offset)


def _splice(inlet: Inlet, pipe: _Pipe, fd: int, offset: int, size: int) -> Iterator[int]:
    try:
        held = inlet.splice(pipe.entrance, min(size, _PIPE))
    except OSError as error:
        if error.errno not in CANNOT_SPLICE:
            raise
        yield from _copy(inlet, fd, offset, size)
        return
    while held:
        try:
            written = os.splice(pipe.exit, fd, held, offset_dst=offset)
        except OSError as error:
            if error.errno not in CANNOT_SPLICE:
                raise
            yield from disk.write_at(fd, [os.read(pipe.exit, held)], offset)
            return
        if not written:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        held -= written
        offset += written
        yield written
