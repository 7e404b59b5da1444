"""Who signs up and in, and who a token belongs to."""

import asyncio
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from typing import Any

from litestar import Response, post
from litestar.connection import ASGIConnection
from litestar.exceptions import ClientException, NotAuthorizedException
from litestar.security.jwt import JWTAuth, Token
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from .database import User, new_session

SHORTEST_PASSWORD = 8

# Without a secret of yours, tokens end with the process.
SECRET = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(32)


@dataclass
class Credentials:
    username: str
    password: str

    def __post_init__(self) -> None:
        if not self.username or len(self.password) < SHORTEST_PASSWORD:
            raise ValueError(f"A name, and {SHORTEST_PASSWORD} characters of a password.")


async def retrieve_user(
    token: Token, connection: ASGIConnection[Any, Any, Any, Any]
) -> User | None:
    return await find_user(token)


async def find_user(token: Token) -> User | None:
    async with new_session() as session:
        return await session.get(User, int(token.sub))


jwt_auth = JWTAuth[User](
    token_secret=SECRET,
    retrieve_user_handler=retrieve_user,
    # Uploads are asked by tusd_py, whose refusals tus clients understand.
    exclude=["^/users$", "^/token$", "^/uploads(/|$)", "^/schema(/|$)"],
)


async def user_of(authorization: str) -> User | None:
    """Whose header that is, for requests that Litestar's own middleware leaves alone."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        token = Token.decode(encoded, secret=SECRET, algorithm=jwt_auth.algorithm)
    except NotAuthorizedException:
        return None
    return await find_user(token)


@post("/users")
async def sign_up(data: Credentials, session: AsyncSession) -> None:
    session.add(User(name=data.username, password=await hashed(data.password, os.urandom(16))))
    try:
        await session.commit()
    except IntegrityError:
        raise ClientException("That name is taken.", status_code=409) from None


@post("/token")
async def sign_in(data: Credentials, session: AsyncSession) -> Response[Any]:
    user = await session.scalar(select(User).where(User.name == data.username))
    # As long for names that nobody has.
    known = user.password if user else bytes(80)
    matches = hmac.compare_digest(known, await hashed(data.password, known[:16]))
    if user is None or not matches:
        raise ClientException("The name or the password is wrong.")
    return jwt_auth.login(identifier=str(user.id), send_token_as_response_body=True)


async def hashed(password: str, salt: bytes) -> bytes:
    key = await asyncio.to_thread(hashlib.scrypt, password.encode(), salt=salt, n=2**14, r=8, p=1)
    return salt + key
