"""From settings to concrete backends: the only module that names them."""

import sys
from dataclasses import dataclass
from pathlib import Path

from tusd_py.config import Settings
from tusd_py.locks import Locks
from tusd_py.locks.memory import MemoryLocks
from tusd_py.metadata import Metadata
from tusd_py.metadata.sqlite import SQLiteMetadata
from tusd_py.storage import Storage
from tusd_py.storage.filesystem import FileStorage
from tusd_py.storage.layout import LAYOUTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """The parts that settings ask for; nothing is opened yet."""

    storage: Storage
    metadata: Metadata
    locks: Locks


def backends(settings: Settings) -> Backends:
    """Choose the backends of the standalone server: a folder with files and a database."""
    storage = FileStorage(settings.data_dir, layout=LAYOUTS[settings.layout])
    return Backends(
        storage=storage,
        metadata=SQLiteMetadata(database(settings)),
        locks=default_locks(storage),
    )


def database(settings: Settings) -> Path:
    """The file of the standalone server's metadata."""
    return settings.data_dir / "tus.db"


def switches(settings: Settings) -> Path:
    """The file where the standalone server writes down its switches among links."""
    return settings.data_dir / "network.json"


def metrics_folder(settings: Settings) -> Path | None:
    """Where several processes put what they count; None for one, which needs no place."""
    if settings.workers == 1 or settings.metrics_path is None:
        return None
    return settings.data_dir / "metrics"


def default_locks(storage: Storage) -> Locks:
    """The locks for who names none.

    For files those between the processes of the machine, where the system has them; in memory
    otherwise, which is enough for one process.
    """
    if isinstance(storage, FileStorage) and sys.platform != "win32":
        from tusd_py.locks.file import FileLocks

        return FileLocks(storage.root / "locks")
    return MemoryLocks()
