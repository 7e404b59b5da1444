"""Resumable uploads by the application's users, and the files that they have."""

from fastapi import APIRouter
from fastapi.security.utils import get_authorization_scheme_param
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from tusd_py import (
    GB,
    Config,
    FileStorage,
    Request,
    SQLiteMetadata,
    TusApp,
    Upload,
    parse_metadata,
)

from .database import DATA, File, Session, new_session
from .users import CurrentUser, user_of

router = APIRouter(tags=["files"])


async def authenticate(request: Request) -> str | None:
    """Tell tusd_py whose upload it is: None is answered with 401."""
    scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
    user = await user_of(token) if scheme.lower() == "bearer" else None
    return str(user.id) if user else None


tus = TusApp(
    storage=FileStorage(DATA),
    metadata=SQLiteMetadata(DATA / "tus.db"),
    auth=authenticate,
    # A client that removed an upload would leave its row behind.
    config=Config(max_size=5 * GB, disable_termination=True),
)


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


class Stored(BaseModel):
    upload_id: str
    name: str
    size: int


@router.get("/files")
async def list_files(user: CurrentUser, session: Session) -> list[Stored]:
    files = await session.scalars(select(File).where(File.user_id == user.id))
    return [Stored.model_validate(file, from_attributes=True) for file in files]
