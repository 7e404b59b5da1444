"""The file to upload: what tells it from others, and its bytes, read off the event loop."""

import asyncio
import hashlib
import os
import stat
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tusd_py.protocol.checksum import Checksum, Hash, new_hash

from .errors import FileChanged, FileUnreadable

_PIECE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells a file from others without reading it: not where it is, for files are moved."""

    name: str
    size: int
    modified: int
    """Time of the last change, in nanoseconds."""


class Source:
    """An open file that must not change. Opening, closing and what is not ``async`` block.

    Raises:
        FileUnreadable: It is not there, is no file, or may not be read.
    """

    def __init__(self, path: Path) -> None:
        self._fd = _open(path)
        facts = os.fstat(self._fd)
        self.fingerprint = Fingerprint(path.name, facts.st_size, facts.st_mtime_ns)
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Close the file; what still reads it ends."""
        self._closed = True
        os.close(self._fd)

    def digest(self) -> str:
        """The SHA-256 of the whole file, in hexadecimal.

        Raises:
            FileChanged: It is not what it was when it was opened.
            FileUnreadable: The system cannot read it.
        """
        whole = hashlib.sha256()
        self._hash(whole, 0, self.fingerprint.size)
        return whole.hexdigest()

    async def checksum(self, algorithm: str, start: int, length: int) -> Checksum:
        """The checksum of a part of the file.

        Raises:
            FileChanged: It is not what it was when it was opened.
            FileUnreadable: The system cannot read it.
        """
        part = new_hash(algorithm)
        await asyncio.to_thread(self._hash, part, start, length)
        return Checksum(algorithm, part.digest())

    async def pieces(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """A part of the file, one piece in hand while the next one is read.

        Raises:
            FileChanged: It is not what it was when it was opened.
            FileUnreadable: The system cannot read it.
        """
        end = start + length
        ahead = self._read_ahead(start, end)
        try:
            while start < end:
                # A cancelled read would be forgotten, and not over.
                piece = await asyncio.shield(ahead)
                start += len(piece)
                ahead = self._read_ahead(start, end)
                yield piece
        finally:
            # A thread that still reads must not find the file closed.
            await asyncio.wait({ahead})

    def _read_ahead(self, start: int, end: int) -> asyncio.Future[bytes]:
        size = min(_PIECE, end - start)
        loop = asyncio.get_running_loop()
        ahead = loop.run_in_executor(None, self._read, start, size)
        # Who was cancelled while it failed is not to be told of it by the event loop.
        ahead.add_done_callback(lambda read: read.cancelled() or read.exception())
        return ahead

    def _hash(self, into: Hash, start: int, length: int) -> None:
        end = start + length
        while start < end:
            piece = self._read(start, min(_PIECE, end - start))
            into.update(piece)
            start += len(piece)

    def _read(self, start: int, size: int) -> bytes:
        if self._closed:
            raise FileUnreadable("The file is closed.")
        try:
            piece = self._read_at(start, size)
            self.check_unchanged()
        except OSError as error:
            raise FileUnreadable(f"The file cannot be read: {error.strerror}.") from error
        if len(piece) < size:
            raise FileChanged
        return piece

    def _read_at(self, start: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._fd, size, start)
        with self._lock:
            os.lseek(self._fd, start, os.SEEK_SET)
            return os.read(self._fd, size)

    def check_unchanged(self) -> None:
        """Compare the file with what it was when it was opened.

        Raises:
            FileChanged: It is another.
        """
        facts = os.fstat(self._fd)
        if (facts.st_size, facts.st_mtime_ns) != (self.fingerprint.size, self.fingerprint.modified):
            raise FileChanged


def _open(path: Path) -> int:
    # Opening a pipe would wait for its other end.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        fd = os.open(path, flags)
    except IsADirectoryError:
        raise FileUnreadable(f"{path} is a folder. Upload its files one by one.") from None
    except FileNotFoundError:
        raise FileUnreadable(f"{path}: there is no such file.") from None
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror}.") from error
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return fd
    os.close(fd)
    if stat.S_ISDIR(mode):
        raise FileUnreadable(f"{path} is a folder. Upload its files one by one.")
    raise FileUnreadable(f"{path} is no file with a length.")
