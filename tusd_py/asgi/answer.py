"""A response as a value."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from tusd_py.streaming.received import Receive

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is answered with.

    Attributes:
        status: The HTTP status.
        headers: By name, as they are written.
        body: All of it.
        stream: Instead of ``body``, for what is too long.
        facts: What the request's log line says beside the usual.
        unheard: Nobody is left to read it: it is for the log only.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: AsyncGenerator[bytes, None] | None = None
    facts: dict[str, object] = field(default_factory=dict)
    unheard: bool = False


async def send_answer(
    receive: Receive, send: Send, answer: Answer, *more: Mapping[str, str], with_body: bool
) -> None:
    """Send an answer, without its body where HTTP has none.

    Of headers whose names differ in case only, the last counts.

    Args:
        receive: The ASGI callable, which tells when the client has gone.
        send: The other one.
        answer: The answer.
        more: Headers beside its own.
        with_body: The body goes out too.
    """
    headers = {
        name.lower(): value for group in (answer.headers, *more) for name, value in group.items()
    }
    if answer.stream is None and with_body:
        headers["content-length"] = str(len(answer.body))
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
            ],
        }
    )
    if answer.stream is not None and not await _sent_all(receive, send, answer.stream):
        return
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})


async def _sent_all(receive: Receive, send: Send, stream: AsyncGenerator[bytes, None]) -> bool:
    """Send pieces as long as there is somebody to read them: servers do not say so on sending."""
    leaving = asyncio.ensure_future(_left(receive))
    try:
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                if leaving.done():
                    return False
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            return True
    finally:
        leaving.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
