"""The application's own tables."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from litestar import Litestar
from sqlalchemy import ForeignKey
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DATA = Path("data")
DATA.mkdir(exist_ok=True)

engine = create_async_engine(f"sqlite+aiosqlite:///{DATA / 'app.db'}")
new_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password: Mapped[bytes]


class File(Base):
    __tablename__ = "files"

    # The upload's own id is the key, so that hearing of it twice makes no second row.
    upload_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    name: Mapped[str]
    size: Mapped[int]
    path: Mapped[str]


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


async def provide_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session
