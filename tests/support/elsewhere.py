"""Pretends to be another system, as far as a process can: imports everything, and uploads.

Run as ``python -m tests.support.elsewhere win32 FOLDER``. What the other system lacks is taken
away from the standard library; what only it has (its event loop, its rules for open files) cannot
be had here, so that everything but tusd_py is imported before.
"""

import asyncio
import base64
import hashlib
import importlib
import os
import pkgutil
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Final

ABSENT_MODULES: Final = {
    "win32": ("fcntl", "grp", "pwd", "resource", "termios", "uvloop"),
    "darwin": (),
}
_LINUX_ALONE: Final = (
    "copy_file_range",
    "eventfd",
    "posix_fadvise",
    "sched_getaffinity",
    "sched_setaffinity",
    "splice",
)
ABSENT_FUNCTIONS: Final = {
    "win32": (
        *_LINUX_ALONE,
        *("chown", "fchmod", "fork", "getegid", "geteuid", "getgid", "getuid", "mkfifo"),
        *("preadv", "pwritev", "sendfile", "O_NONBLOCK", "O_CLOEXEC", "O_NOFOLLOW"),
        *("O_DIRECTORY", "pread", "pwrite", "pipe2", "posix_fallocate", "fdatasync"),
    ),
    "darwin": (*_LINUX_ALONE, "fdatasync", "posix_fallocate", "pipe2", "RWF_DSYNC"),
}

# More than one batch of the smallest size.
_SIZE: Final = 200_000


class Hiding(MetaPathFinder):
    """Finds modules that are not there, and says so."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        if fullname in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def modules() -> list[str]:
    """Everything that can be imported from tusd_py; ``__main__`` would run."""
    import tusd_py

    found = pkgutil.walk_packages(tusd_py.__path__, "tusd_py.")
    return [module.name for module in found if not module.name.endswith("__main__")]


def pretend(system: str) -> None:
    """Take away what that system lacks."""
    names = modules()
    for name in names:
        importlib.import_module(name)
    ours = [name for name in sys.modules if name.partition(".")[0] == "tusd_py"]
    for name in (*ours, *ABSENT_MODULES[system]):
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, Hiding(ABSENT_MODULES[system]))
    for name in ABSENT_FUNCTIONS[system]:
        if hasattr(os, name):
            delattr(os, name)
    sys.platform = system


async def upload(folder: Path) -> None:
    """Upload in three requests, one of them with a checksum, and read, join and remove files.

    Raises:
        AssertionError: A file is not what was sent.
    """
    from tests.support.asgi import Client
    from tusd_py import FileStorage, SQLiteMetadata, TusApp

    tus = TusApp(storage=FileStorage(folder), metadata=SQLiteMetadata(folder / "tus.db"))
    digest = base64.b64encode(hashlib.sha256(b"b" * _SIZE).digest()).decode()
    async with tus.running():
        client = Client(tus.below("/files"))
        url = await client.new(length=3 * _SIZE)
        await client.patch(url, 0, b"a" * _SIZE)
        checked = [("Upload-Checksum", f"sha256 {digest}")]
        await client.patch(url, _SIZE, b"b" * _SIZE, headers=checked)
        done = await client.patch(url, 2 * _SIZE, b"c" * _SIZE)
        assert done.status == 204, done
        whole = await client.get(url)
        assert whole.body == b"a" * _SIZE + b"b" * _SIZE + b"c" * _SIZE, len(whole.body)
        parts = [await client.part(b"one"), await client.part(b"two")]
        joined = await client.get((await client.concatenate(*parts)).location)
        assert joined.body == b"onetwo", joined
        assert (await client.delete(url)).status == 204
        assert (await client.head(url)).status == 404


def main(system: str, folder: Path) -> None:
    """Import everything, and upload."""
    pretend(system)
    for name in modules():
        importlib.import_module(name)
    asyncio.run(upload(folder))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
