"""``tusd-py serve`` as after a restart of the machine, and without some of its syncs.

``python -m tests.e2e.power.server BOOT MISSING serve ...``: ``BOOT`` names the boot of the machine,
and ``MISSING`` names the sync to leave out, or is ``nothing``.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tusd_py import folders
from tusd_py.asgi import runtime
from tusd_py.cli.main import main
from tusd_py.metadata import connection as sqlite

_sync, _sync_folder = os.fsync, folders.sync_folder


def without_files(fd: int) -> None:
    """Sync folders only."""
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        _sync(fd)


def without_folders(chosen: Callable[[Path], bool], folder: str) -> None:
    """Sync the folders that are not chosen."""
    if not chosen(Path(folder)):
        _sync_folder(folder)


def of_new_files(folder: Path) -> bool:
    """Folders of unfinished files."""
    return folder.parents[1].name == "uploads"


def of_finished_files(folder: Path) -> bool:
    """Folders of finished files."""
    return folder.parents[2].name == "files"


def of_new_folders(folder: Path) -> bool:
    """Folders of folders."""
    return not of_new_files(folder) and not of_finished_files(folder)


def configure_without_syncs(connection: sqlite3.Connection, durable: bool) -> None:  # noqa: ARG001
    """Set a connection up as if the database needed no syncs."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")


def leave_out(missing: str) -> None:
    """Take one of the syncs away."""
    chosen = {
        "new file": of_new_files,
        "finished file": of_finished_files,
        "new folder": of_new_folders,
    }
    if missing == "bytes":
        os.fsync = without_files  # type: ignore[assignment]
    elif missing == "database":
        sqlite._configure = configure_without_syncs
    elif missing in chosen:
        folders.sync_folder = partial(without_folders, chosen[missing])
    else:
        assert missing == "nothing"


if __name__ == "__main__":
    _, boot, missing_sync, *sys.argv[1:] = sys.argv
    runtime._this_boot = lambda: boot
    leave_out(missing_sync)
    main()
