"""A plain tus server on tuspyserver: what its README shows, without hooks."""

from __future__ import annotations

import os
from importlib import import_module

# The peer lives in an environment of its own, so no type checker of ours can see its packages.
_fastapi = import_module("fastapi")
_tuspyserver = import_module("tuspyserver")

app = _fastapi.FastAPI()
app.include_router(
    _tuspyserver.create_tus_router(prefix="files", files_dir=os.environ["UPLOAD_DIR"])
)
