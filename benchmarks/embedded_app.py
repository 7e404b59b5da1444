"""This package in a Starlette application, with a page of its own beside the uploads.

uvicorn serves it without our protocol class, or with it::

    python -m uvicorn benchmarks.embedded_app:app
    python -m benchmarks.embedded_app HOST PORT
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tusd_py import Config, FileStorage, SQLiteMetadata, TusApp
from tusd_py.serving.protocol import protocol_class

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


async def _page(_: Request) -> JSONResponse:
    return JSONResponse({"numbers": list(range(100))})


app = Starlette(routes=[Route("/page", _page), *_tus.routes("/files")], lifespan=_running)

if __name__ == "__main__":
    http = protocol_class(header_timeout=10, max_header_size=65536)
    _host, _port = sys.argv[1:]
    uvicorn.run(app, http=http, host=_host, port=int(_port), log_level="error", access_log=False)
