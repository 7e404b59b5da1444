"""Folders for trials, placed so that one trial does not slow the next down."""

from __future__ import annotations

import fcntl
import os
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

# From linux/fs.h: read and set a folder's flags; its folders are unrelated to each other.
_GET_FLAGS: Final = 0x80086601
_SET_FLAGS: Final = 0x40086602
_TOP_OF_HIERARCHY: Final = 0x00020000


def make_run_folder(disk: Path) -> Path:
    """Make a folder for the trials of one run.

    ext4 without a journal does not reuse the inode of a removed file for minutes, and searches
    past all of them whenever it creates one in the same part of the disk: a trial that removes
    its files would make the next one up to twenty times slower. So the folders inside this one
    are to be spread over the disk. Other file systems know no such flag and need none.
    """
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=disk))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            current = fcntl.ioctl(descriptor, _GET_FLAGS, struct.pack("l", 0))
            flags = struct.unpack("l", current)[0] | _TOP_OF_HIERARCHY
            fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("l", flags))
    finally:
        os.close(descriptor)
    return folder


def make_trial_folder(run: Path) -> Path:
    """Make a folder for one trial; its random name decides where on the disk it lies."""
    return Path(tempfile.mkdtemp(prefix="trial-", dir=run))
