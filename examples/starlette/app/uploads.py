"""Resumable uploads by the application's users, and the files that they have."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tusd_py import GB, Config, FileStorage, SQLiteMetadata, TusApp, Upload, parse_metadata
from tusd_py import Request as UploadRequest

from .database import DATA, connected
from .users import signed_in

# Told again after a crash, it finds its row.
INSERT = """
INSERT INTO files (upload_id, user_id, name, size, path) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
"""


async def authenticate(request: UploadRequest) -> str | None:
    """Tell tusd_py whose upload it is: None is answered with 401."""
    user = signed_in(request.scope["session"])
    return None if user is None else str(user)


tus = TusApp(
    storage=FileStorage(DATA),
    metadata=SQLiteMetadata(DATA / "tus.db"),
    auth=authenticate,
    # A client that removed an upload would leave its row behind.
    config=Config(max_size=5 * GB, disable_termination=True),
)


@tus.on_finish
async def remember(upload: Upload, event_id: str) -> None:
    name = parse_metadata(upload.metadata).get("filename", b"unnamed").decode("utf-8", "replace")
    row = (upload.id, int(upload.subject or 0), name, upload.offset, upload.path)
    async with connected() as database:
        await database.execute(INSERT, row)


async def list_files(request: Request) -> JSONResponse:
    user = signed_in(request.session)
    if user is None:
        raise HTTPException(401, "Sign in first.")
    async with connected() as database:
        rows = await database.execute_fetchall(
            "SELECT upload_id, name, size FROM files WHERE user_id = ?", (user,)
        )
    return JSONResponse(
        [dict(zip(("upload_id", "name", "size"), row, strict=True)) for row in rows]
    )


routes = [Route("/files", list_files), *tus.routes("/uploads")]
