"""The bytes that are sent, and the check that they arrived."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from benchmarks.errors import TrialFailedError

_BLOCK: Final = 4 * 1024 * 1024


class Source:
    """A file of random bytes in the page cache; drivers send slices of it."""

    def __init__(self, path: Path, size: int) -> None:
        """Write `size` random bytes to `path`."""
        self.path = path
        self._digests: dict[tuple[int, int], str] = {}
        with path.open("wb") as file:
            for length in _block_lengths(size):
                file.write(os.urandom(length))
            file.flush()
            os.fsync(file.fileno())

    def digest(self, offset: int, length: int) -> str:
        """Return the SHA-256 of one slice; reading it also brings it into the page cache."""
        key = (offset, length)
        if key not in self._digests:
            with self.path.open("rb") as file:
                file.seek(offset)
                self._digests[key] = _sha256(file, length)
        return self._digests[key]


def check_stored(data: Path, size: int, expected: Iterable[str]) -> None:
    """Check that the files of `size` bytes under `data` are exactly those of these digests.

    Raises:
        TrialFailedError: one is missing, is one too many, or has other bytes.
    """
    wanted = Counter(expected)
    found = Counter(_file_digest(path) for path in stored_files(data, size))
    if found == wanted:
        return
    if found.total() != wanted.total():
        raise TrialFailedError(
            f"stored files of {size} bytes: {found.total()} instead of {wanted.total()}"
        )
    raise TrialFailedError(f"{(wanted - found).total()} stored files do not hold what was sent")


def stored_files(data: Path, size: int) -> Iterator[Path]:
    """Return the files under `data` that have exactly `size` bytes, wherever a server put them.

    One that has two names for a while is one file.
    """
    seen: set[int] = set()
    for folder, _, names in os.walk(data):
        for name in names:
            path = Path(folder, name)
            found = path.stat()
            if found.st_size == size and found.st_ino not in seen:
                seen.add(found.st_ino)
                yield path


def remove_stored(data: Path, size: int) -> None:
    """Remove the files under `data` that have exactly `size` bytes."""
    for file in stored_files(data, size):
        file.unlink()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(file: BinaryIO, length: int) -> str:
    digest = hashlib.sha256()
    for block in _block_lengths(length):
        digest.update(file.read(block))
    return digest.hexdigest()


def _block_lengths(size: int) -> Iterator[int]:
    while size > 0:
        length = min(size, _BLOCK)
        yield length
        size -= length
