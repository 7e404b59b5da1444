"""Who signs up and in, and who a bearer token belongs to."""

import asyncio
import hashlib
import hmac
import os
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from .database import Session, Token, User, new_session

router = APIRouter(tags=["users"])
bearer = OAuth2PasswordBearer(tokenUrl="token")


@router.post("/users", status_code=201)
async def sign_up(
    username: Annotated[str, Form(min_length=1, max_length=100)],
    password: Annotated[str, Form(min_length=8)],
    session: Session,
) -> None:
    session.add(User(name=username, password=await hashed(password, os.urandom(16))))
    try:
        await session.commit()
    except IntegrityError:
        raise HTTPException(409, "That name is taken.") from None


@router.post("/token")
async def sign_in(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], session: Session
) -> dict[str, str]:
    user = await session.scalar(select(User).where(User.name == form.username))
    # As long for names that nobody has.
    known = user.password if user else bytes(80)
    matches = hmac.compare_digest(known, await hashed(form.password, known[:16]))
    if user is None or not matches:
        raise HTTPException(400, "The name or the password is wrong.")
    token = secrets.token_urlsafe(32)
    session.add(Token(digest=digest(token), user_id=user.id))
    await session.commit()
    return {"access_token": token, "token_type": "bearer"}


async def user_of(token: str) -> User | None:
    async with new_session() as session:
        user: User | None = await session.scalar(
            select(User).join(Token).where(Token.digest == digest(token))
        )
        return user


async def signed_in(token: Annotated[str, Depends(bearer)]) -> User:
    user = await user_of(token)
    if user is None:
        raise HTTPException(401, "Sign in first.", {"WWW-Authenticate": "Bearer"})
    return user


CurrentUser = Annotated[User, Depends(signed_in)]


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def hashed(password: str, salt: bytes) -> bytes:
    key = await asyncio.to_thread(hashlib.scrypt, password.encode(), salt=salt, n=2**14, r=8, p=1)
    return salt + key
