"""A response as a value."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    MutableMapping,
)
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tusd_py.storage import OpenFile
from tusd_py.streaming.asking import Receive
from tusd_py.streaming.connection import PATH_SEND, ZERO_COPY

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """Some bytes of a file, to be sent by a server that offers an extension for that.

    Attributes:
        file: The file; sending the answer closes it.
        offset: Where they begin.
        count: How many they are.
        by: ``ZERO_COPY``, or for all of a file ``PATH_SEND``.
    """

    file: OpenFile
    offset: int
    count: int
    by: str = ZERO_COPY

    def message(self) -> dict[str, Any]:
        """What the server is told."""
        if self.by == PATH_SEND:
            return {"type": PATH_SEND, "path": self.file.path}
        return {"type": ZERO_COPY, "file": self.file, "offset": self.offset, "count": self.count}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is answered with.

    Attributes:
        status: The HTTP status.
        headers: By name, as they are written.
        body: All of it.
        stream: Instead of ``body``, for what is too long.
        part: The same, for what the server can send from a file.
        facts: What the request's log line says beside the usual.
        unheard: Nobody is left to read it: it is for the log only.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: AsyncGenerator[bytes, None] | None = None
    part: FilePart | None = None
    facts: dict[str, object] = field(default_factory=dict)
    unheard: bool = False


async def send_answer(
    receive: Receive, send: Send, answer: Answer, *more: Mapping[str, str], with_body: bool
) -> None:
    """Send an answer, without its body where HTTP has none.

    Of headers whose names differ in case only, the last counts. Its file is closed in any case.

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
    if answer.stream is None and answer.part is None and with_body:
        headers["content-length"] = str(len(answer.body))
    try:
        await _send_head(send, answer.status, headers)
        await _send_body(receive, send, answer, with_body=with_body)
    finally:
        if answer.part is not None:
            await answer.part.file.close()


async def _send_head(send: Send, status: int, headers: Mapping[str, str]) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
            ],
        }
    )


async def _send_body(receive: Receive, send: Send, answer: Answer, *, with_body: bool) -> None:
    if answer.part is not None and with_body:
        await _send_part(receive, send, answer.part)
    elif answer.stream is None or await _sent_all(receive, send, answer.stream):
        await send({"type": "http.response.body", "body": answer.body if with_body else b""})


async def _send_part(receive: Receive, send: Send, part: FilePart) -> None:
    """Let the server send, which ends by itself when the client leaves."""
    async with _listening(receive):
        await send(part.message())


async def _sent_all(receive: Receive, send: Send, stream: AsyncGenerator[bytes, None]) -> bool:
    """Send pieces as long as there is somebody to read them: servers do not say so on sending."""
    async with _listening(receive) as leaving, aclosing(stream) as pieces:
        async for piece in pieces:
            if leaving.done():
                return False
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        return True


@asynccontextmanager
async def _listening(receive: Receive) -> AsyncIterator[asyncio.Future[None]]:
    """Take what a client sends meanwhile, until it has gone, which completes the future."""
    leaving = asyncio.ensure_future(_left(receive))
    try:
        yield leaving
    finally:
        leaving.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
