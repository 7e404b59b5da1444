"""Uploads in a Starlette application, each owned by whoever started it.

Run it with ``uvicorn examples.starlette_app:app``, and send ``Authorization: Bearer alice-token``.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request as Page
from starlette.responses import JSONResponse
from starlette.routing import Route

from tusd_py import (
    Changes,
    FileStorage,
    NewUpload,
    Reject,
    Request,
    SQLiteMetadata,
    TusApp,
    Upload,
    parse_metadata,
)

USERS = {"Bearer alice-token": "alice", "Bearer bob-token": "bob"}
ROOT = Path("data")


async def auth(request: Request) -> str | None:
    return USERS.get(request.headers.get("authorization", ""))


tus = TusApp(storage=FileStorage(ROOT), metadata=SQLiteMetadata(ROOT / "tus.db"), auth=auth)


@tus.on_create
async def check(new: NewUpload) -> Changes:
    if b"/" in new.metadata.get("filename", b""):
        raise Reject(400, "A file name has no slashes.")
    return Changes(max_length=100_000_000)


@tus.on_finish
async def finished(upload: Upload, event_id: str) -> None:
    name = parse_metadata(upload.metadata).get("filename", b"").decode("utf-8", "replace")
    print(f"{event_id}: {upload.subject} uploaded {name!r}, {upload.offset} bytes")


async def mine(page: Page) -> JSONResponse:
    subject = USERS.get(page.headers.get("authorization", ""), "")
    uploads = await tus.uploads.list(subject=subject)
    return JSONResponse([{"id": upload.id, "offset": upload.offset} for upload in uploads])


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with tus.running():
        yield


app = Starlette(routes=[Route("/mine", mine), *tus.routes("/files")], lifespan=lifespan)
