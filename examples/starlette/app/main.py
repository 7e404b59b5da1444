import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.config import Config
from starlette.datastructures import Secret
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware

from . import uploads, users
from .database import create_tables

config = Config()
# Without a key of yours, sessions end with the process.
SECRET_KEY = config("SECRET_KEY", cast=Secret, default=secrets.token_urlsafe(32))
HTTPS_ONLY = config("HTTPS_ONLY", cast=bool, default=False)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    await create_tables()
    async with uploads.tus.running():
        yield


app = Starlette(
    routes=[*users.routes, *uploads.routes],
    middleware=[
        Middleware(
            SessionMiddleware,
            secret_key=str(SECRET_KEY),
            # Pages of other sites make no requests in the name of who is signed in.
            same_site="lax",
            https_only=HTTPS_ONLY,
        )
    ],
    lifespan=lifespan,
)
