"""Resumable uploads by the application's users, and the files that they have."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, asgi, get
from litestar.security.jwt import Token
from litestar.types import Receive, Scope, Send
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tusd_py import GB, Config, FileStorage, SQLiteMetadata, TusApp, Upload, parse_metadata
from tusd_py import Request as UploadRequest

from .database import DATA, File, User, new_session
from .users import user_of

PREFIX = "/uploads"


async def authenticate(request: UploadRequest) -> str | None:
    """Tell tusd_py whose upload it is: None is answered with 401."""
    user = await user_of(request.headers.get("authorization", ""))
    return str(user.id) if user else None


tus = TusApp(
    storage=FileStorage(DATA),
    metadata=SQLiteMetadata(DATA / "tus.db"),
    auth=authenticate,
    # A client that removed an upload would leave its row behind.
    config=Config(max_size=5 * GB, disable_termination=True),
)
server = tus.below(PREFIX)


@asgi(PREFIX, is_mount=True, copy_scope=True)
async def uploads(scope: Scope, receive: Receive, send: Send) -> None:
    # Litestar takes the path of a mount off, also of "/uploadsx", and adds a slash at its end.
    scope["path"] = f"{PREFIX}{scope['path']}".rstrip("/")
    await server(scope, receive, send)  # type: ignore[arg-type]


@tus.on_finish
async def remember(upload: Upload, event_id: str) -> None:
    name = parse_metadata(upload.metadata).get("filename", b"unnamed")
    row = insert(File).values(
        upload_id=upload.id,
        user_id=int(upload.subject or 0),
        name=name.decode("utf-8", "replace"),
        size=upload.offset,
        path=upload.path,
    )
    async with new_session() as session:
        # It may be told twice, if the process dies right after this.
        await session.execute(row.on_conflict_do_nothing())
        await session.commit()


@dataclass
class Stored:
    upload_id: str
    name: str
    size: int


@get("/files")
async def list_files(request: Request[User, Token, Any], session: AsyncSession) -> list[Stored]:
    files = await session.scalars(select(File).where(File.user_id == request.user.id))
    return [Stored(file.upload_id, file.name, file.size) for file in files]
