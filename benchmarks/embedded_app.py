"""This package in a Starlette application behind plain uvicorn, without our protocol class."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette

from tusd_py import Config, FileStorage, SQLiteMetadata, TusApp

_folder = Path(os.environ["UPLOAD_DIR"])
_tus = TusApp(
    storage=FileStorage(_folder),
    metadata=SQLiteMetadata(_folder / "tus.db"),
    config=Config(durability="process"),
)


@asynccontextmanager
async def _running(_: Starlette) -> AsyncIterator[None]:
    async with _tus.running():
        yield


app = Starlette(routes=_tus.routes("/files"), lifespan=_running)
