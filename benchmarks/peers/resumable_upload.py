"""resumable-upload, the server in Python with the most extensions."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.environment import python_versions
from benchmarks.install import install_in_python
from benchmarks.servers import Launch, Server

_NAME: Final = "resumable-upload"
_FLAGS: Final = (
    *("--log-level", "ERROR", "--enable-downloads"),
    *("--checksum-algorithms", "sha1,sha256"),
)


def resumable_upload() -> Server:
    """Return resumable-upload's own command, with a thread for each connection.

    Its ASGI application behind uvicorn was no faster, and took twice the memory.
    """
    python = install_in_python(_NAME)

    def launch(port: int, data: Path) -> Launch:
        serve = [python, "-m", "resumable_upload", "serve", "--host", "127.0.0.1"]
        stores = ["--upload-dir", str(data / "files"), "--db-path", str(data / "uploads.db")]
        return Launch(arguments=[*serve, "--port", str(port), *stores, *_FLAGS])

    return Server(
        name=_NAME,
        version=python_versions(python, _NAME),
        configuration=f"its own command, {' '.join(_FLAGS)}",
        durability="no fsync",
        launch=launch,
        holds_bodies=True,
    )
