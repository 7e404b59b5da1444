from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from . import uploads, users
from .database import create_tables, engine


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    await create_tables()
    async with uploads.tus.running():
        yield
    await engine.dispose()


app = FastAPI(title="Files", lifespan=lifespan)
app.include_router(users.router)
app.include_router(uploads.router)
app.router.routes.extend(uploads.tus.routes("/uploads"))
