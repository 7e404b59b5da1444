"""A copy of the database while a server may be using it. Everything here blocks."""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from tusd_py.folders import sync_folder

from .connection import translated
from .schema import version


def back_up(database: Path, target: Path) -> int:
    """Copy a database as it is at this moment; returns how many uploads it knows.

    The copy appears under its name when it is whole and durable, and never over another file.

    Raises:
        FileExistsError: There is something at ``target``.
        OSError: ``target`` cannot be written.
        SchemaTooNew: A newer version of the program wrote the database.
        MetadataError: The database cannot be read, or not be copied.
    """
    if os.path.lexists(target):
        raise FileExistsError(target)
    fd, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        uploads = _copy(database, Path(unfinished))
        os.fsync(fd)
        _place(unfinished, target)
    finally:
        os.close(fd)
        Path(unfinished).unlink(missing_ok=True)
    sync_folder(str(target.absolute().parent))
    return uploads


def _copy(database: Path, target: Path) -> int:
    # SQLite makes a new database of what is missing, unless told not to.
    source_uri = f"{database.absolute().as_uri()}?mode=rw"
    with (
        translated(),
        closing(sqlite3.connect(source_uri, uri=True)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        version(source)
        source.backup(copy)
        # One file, and no log beside it until a server opens it.
        copy.execute("PRAGMA journal_mode = DELETE")
        (uploads,) = copy.execute("SELECT count(*) FROM uploads").fetchone()
    return int(uploads)


def _place(unfinished: str, target: Path) -> None:
    try:
        target.hardlink_to(unfinished)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links.
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        Path(unfinished).rename(target)
