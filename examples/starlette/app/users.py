"""Who signs up, in and out, and who a session belongs to."""

import asyncio
import hashlib
import hmac
import os
import sqlite3
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .database import connected

SHORTEST_PASSWORD = 8


async def sign_up(request: Request) -> Response:
    name, password = await credentials(request)
    if not name or len(password) < SHORTEST_PASSWORD:
        raise HTTPException(422, f"A name, and {SHORTEST_PASSWORD} characters of a password.")
    row = (name, await hashed(password, os.urandom(16)))
    try:
        async with connected() as database:
            await database.execute("INSERT INTO users (name, password) VALUES (?, ?)", row)
    except sqlite3.IntegrityError:
        raise HTTPException(409, "That name is taken.") from None
    return Response(status_code=201)


async def sign_in(request: Request) -> Response:
    name, password = await credentials(request)
    async with connected() as database:
        rows = await database.execute("SELECT id, password FROM users WHERE name = ?", (name,))
        user = await rows.fetchone()
    # As long for names that nobody has.
    known = user[1] if user else bytes(80)
    matches = hmac.compare_digest(known, await hashed(password, known[:16]))
    if user is None or not matches:
        raise HTTPException(400, "The name or the password is wrong.")
    request.session["user"] = user[0]
    return Response(status_code=204)


async def sign_out(request: Request) -> Response:
    request.session.clear()
    return Response(status_code=204)


def signed_in(session: Mapping[str, Any]) -> int | None:
    """The number of the user whose session it is, for pages and for uploads."""
    user: int | None = session.get("user")
    return user


async def credentials(request: Request) -> tuple[str, str]:
    async with request.form() as form:
        name, password = form.get("username", ""), form.get("password", "")
    # A part of a form may be a file.
    if not isinstance(name, str) or not isinstance(password, str):
        raise HTTPException(422, "A name and a password are text.")
    return name, password


async def hashed(password: str, salt: bytes) -> bytes:
    key = await asyncio.to_thread(hashlib.scrypt, password.encode(), salt=salt, n=2**14, r=8, p=1)
    return salt + key


routes = [
    Route("/users", sign_up, methods=["POST"]),
    Route("/session", sign_in, methods=["POST"]),
    Route("/session", sign_out, methods=["DELETE"]),
]
