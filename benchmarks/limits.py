"""What the machine itself can do, measured beside a server in the same trial."""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

_BLOCK: Final = 1024 * 1024
_LOG_LINE: Final = bytes(256)


def hash_rate(algorithm: str, body: Path, size: int) -> float:
    """Return how many bytes a second one core hashes, over the first `size` of a file."""
    left = size
    spent = 0.0
    digest = hashlib.new(algorithm)
    with body.open("rb") as file:
        while block := file.read(min(_BLOCK, left)):
            left -= len(block)
            start = time.perf_counter()
            digest.update(block)
            spent += time.perf_counter() - start
    return (size - left) / spent


def sync_rate(folder: Path, payload: bytes, at_once: int, seconds: float) -> float:
    """Return how many files a second the disk takes with the syncs that durable ones need.

    In rounds: `at_once` files are written and synced, each by a thread of its own, and what they
    have in common is synced once: the note of what comes, their folder, and their records.
    """
    scratch = folder / "bare-syncs"
    scratch.mkdir()
    done = 0
    with (
        ThreadPoolExecutor(at_once) as threads,
        (folder / "bare-notes").open("ab", buffering=0) as notes,
        (folder / "bare-records").open("ab", buffering=0) as records,
    ):
        start = time.perf_counter()
        while (spent := time.perf_counter() - start) < seconds:
            paths = [scratch / str(done + number) for number in range(at_once)]
            _write_synced(notes.fileno(), _LOG_LINE)
            list(threads.map(_write_file, paths, [payload] * at_once))
            _sync_folder(scratch)
            _write_synced(records.fileno(), _LOG_LINE * at_once)
            done += at_once
    return done / spent


def _write_file(path: Path, payload: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    try:
        _write_synced(file, payload)
    finally:
        os.close(file)


def _write_synced(file: int, payload: bytes) -> None:
    os.write(file, payload)
    os.fsync(file)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
