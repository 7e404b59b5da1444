"""What has to be there before a server starts, and one server for each data folder."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tusd_py.config import Settings
from tusd_py.errors import ConfigError
from tusd_py.folders import make_folder
from tusd_py.metadata import Metadata

from .failures import CannotStart


def check_database(data_dir: Path, database: Path) -> None:
    """Refuse to begin with an empty database beside files that an earlier one knew.

    Raises:
        CannotStart: There are files, and there is no database.
    """
    if database.exists() and database.stat().st_size:
        return
    for folder in ("uploads", "files"):
        if any(path.is_file() for path in (data_dir / folder).rglob("*")):
            raise CannotStart(
                f"The database {database.absolute()} is missing, but there are files in "
                f"{(data_dir / folder).absolute()}. Restore the database, or move the files away."
            )


def existing_database(settings: Settings) -> Path:
    """Find the database of a server: opening it would make a new one.

    Raises:
        CannotStart: There is none.
    """
    from tusd_py.wiring import database

    found = database(settings)
    if not found.is_file():
        raise CannotStart(
            f"There is no database {found.absolute()}. Name the server's folder with --data-dir."
        )
    return found


@asynccontextmanager
async def opened_metadata(settings: Settings) -> AsyncIterator[Metadata]:
    """Open the metadata of a server, which may be running.

    Raises:
        CannotStart: There is no database.
    """
    from tusd_py.wiring import backends

    await asyncio.to_thread(existing_database, settings)
    metadata = backends(settings).metadata
    await metadata.start(durable=True)
    try:
        yield metadata
    finally:
        await metadata.close()


def check_keys(path: Path | None) -> None:
    """Refuse to begin with a file of keys that cannot be used, if there shall be one.

    Raises:
        CannotStart: It is missing or wrong.
    """
    if path is None:
        return
    from tusd_py.auth.keyfile import read_keys

    try:
        read_keys(path)
    except ConfigError as error:
        raise CannotStart(str(error)) from error


@contextmanager
def only_server(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for this process; the kernel lets go of it when the process ends.

    Raises:
        CannotStart: Another server has it.
    """
    make_folder(str(data_dir.absolute()), durable=True)
    with (data_dir / "server.lock").open("w") as file:
        if not _locked(file.fileno()):
            raise CannotStart(
                f"Another server uses the folder {data_dir.absolute()}. Stop it, or name another "
                "folder with --data-dir."
            )
        yield


def _locked(fd: int) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
