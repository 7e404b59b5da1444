"""A plain tus server on resumable-upload: its own storage, without hooks."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

# The peer lives in an environment of its own, so no type checker of ours can see its packages.
_server = import_module("resumable_upload")
_asgi = import_module("resumable_upload.asgi")

_folder = Path(os.environ["UPLOAD_DIR"])
app = _asgi.TusASGIApp(
    _server.TusServer(
        storage=_server.SQLiteStorage(
            db_path=str(_folder / "uploads.db"), upload_dir=str(_folder / "files")
        ),
        base_path="/files",
        checksum_algorithms=("sha1", "sha256"),
        enable_downloads=True,
    )
)
