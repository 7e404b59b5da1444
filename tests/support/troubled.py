"""A real server that answers some requests as a script says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.live import live
from tusd_py import MemoryMetadata, MemoryStorage, TusApp


@dataclass(frozen=True, slots=True)
class Trouble:
    """What one request is answered instead of what it asked for."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    tus: bool = True
    after_all: bool = False
    """Only the answer is another: the server has done what it was asked."""
    meanwhile: Callable[[], object] = lambda: None
    """What else happens, before the answer."""


@dataclass
class Troubled:
    """The server under test.

    `troubles` are those that are left for each method; `requests` are the methods and statuses of
    all that came, `clients` the ports that they came from.
    """

    app: ASGIApp
    troubles: dict[str, list[Trouble]] = field(default_factory=dict)
    requests: list[tuple[str, int]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    clients: list[int] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/files/"

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.requests]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"]
        self.clients.append(scope["client"][1])
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        left = self.troubles.get(method, [])
        trouble = left.pop(0) if left else None
        if trouble is None:
            await self.app(scope, receive, self._noting(method, send))
            return
        if trouble.after_all:
            await self.app(scope, receive, _nowhere)
        self.requests.append((method, trouble.status))
        trouble.meanwhile()
        await _answer(trouble, send)

    def _noting(self, method: str, send: Send) -> Send:
        async def noting(message: Any) -> None:  # noqa: ANN401 - ASGI's
            if message["type"] == "http.response.start":
                self.requests.append((method, message["status"]))
            await send(message)

        return noting


async def _nowhere(_: Any) -> None:  # noqa: ANN401 - ASGI's
    """Take an answer that nobody gets."""


async def _answer(trouble: Trouble, send: Send) -> None:
    headers = {
        "Content-Length": str(len(trouble.body)),
        **({"Tus-Resumable": "1.0.0"} if trouble.tus else {}),
        **trouble.headers,
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": trouble.status, "headers": raw})
    await send({"type": "http.response.body", "body": trouble.body})


@contextmanager
def troubled(**settings: Any) -> Iterator[Troubled]:  # noqa: ANN401 - uvicorn's
    """Serve, keeping uploads in memory."""
    tus = TusApp(storage=MemoryStorage(), metadata=MemoryMetadata())
    app = Troubled(Starlette(routes=tus.routes("/files"), lifespan=tus.lifespan))
    with live(app, **settings) as server:
        app.port = server.port
        yield app
