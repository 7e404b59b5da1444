"""Resumable uploads by Django's users."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import aget_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import close_old_connections
from django.http import HttpRequest, parse_cookie

from tusd_py import GB, Config, FileStorage, Request, SQLiteMetadata, TusApp, Upload, parse_metadata

from .models import File


@asynccontextmanager
async def fresh_connections() -> AsyncIterator[None]:
    """Do what Django does around each of its own requests."""
    await sync_to_async(close_old_connections)()
    try:
        yield
    finally:
        await sync_to_async(close_old_connections)()


async def authenticate(request: Request) -> str | None:
    """Tell tusd_py whose upload it is: None is answered with 401."""
    cookies = parse_cookie(request.headers.get("cookie", ""))
    page = HttpRequest()
    page.session = SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
    async with fresh_connections():
        user = await aget_user(page)
    return str(user.pk) if user.is_authenticated else None


tus = TusApp(
    storage=FileStorage(settings.DATA),
    metadata=SQLiteMetadata(settings.DATA / "tus.db"),
    auth=authenticate,
    config=Config(
        max_size=5 * GB,
        # A client that removed an upload would leave its row behind.
        disable_termination=True,
        # ALLOWED_HOSTS is Django's alone: so nothing here is made of the Host header.
        relative_location=True,
    ),
)


@tus.on_finish
async def remember(upload: Upload, event_id: str) -> None:
    name = parse_metadata(upload.metadata).get("filename", b"unnamed").decode("utf-8", "replace")
    async with fresh_connections():
        # It may be told twice, if the process dies right after this.
        await File.objects.aget_or_create(
            upload_id=upload.id,
            defaults={
                "owner_id": int(upload.subject or 0),
                "name": name[:255],
                "size": upload.offset,
                "path": upload.path,
            },
        )
