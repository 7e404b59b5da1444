"""What load balancers and orchestrators ask: does it live, and is it ready."""

import json
from collections.abc import Awaitable, Callable, Mapping

from starlette.types import ASGIApp

from tusd_py.errors import TusError
from tusd_py.streaming.asking import Receive
from tusd_py.uploads.engine import Engine
from tusd_py.uploads.readiness import Readiness

from .answer import Answer, Send, send_answer
from .exchange import Scope
from .runtime import Runtime

LIVE = "/healthz"
READY = "/readyz"

_FRESH = {"Content-Type": "application/json", "Cache-Control": "no-store"}
NOT_ALLOWED = Answer(status=405, headers={"Allow": "GET, HEAD"})


class Health:
    """Answers whether the process lives, and whether it can take uploads.

    Args:
        runtime: Starts the engine.

    Attributes:
        draining: The process is about to stop, and wants no more.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.draining = False
        self._runtime = runtime
        self._readiness: Readiness | None = None

    async def live(self) -> Answer:
        """That this is answered shows that the event loop turns."""
        return _answer(200, {"status": "ok"})

    async def ready(self) -> Answer:
        """Check what an upload needs; 503 names what fails."""
        problems = {
            "draining": "The server is stopping." if self.draining else None,
            **await self._problems(),
        }
        failing = [name for name, problem in problems.items() if problem]
        told = {
            "status": "not ready" if failing else "ready",
            "failing": failing,
            "checks": {name: problem or "ok" for name, problem in problems.items()},
        }
        return _answer(503 if failing else 200, told)

    async def _problems(self) -> Mapping[str, str | None]:
        try:
            engine = await self._runtime.started()
        except TusError:
            return {"start": "The storage or the database cannot be opened."}
        return await self._of(engine).problems()

    def _of(self, engine: Engine) -> Readiness:
        # Another event loop has another engine.
        if self._readiness is None or self._readiness.engine is not engine:
            self._readiness = Readiness(engine)
        return self._readiness


class Page:
    """A small answer to GET, as an ASGI application. An object, which ``Route`` does not wrap.

    Args:
        make: Makes the answer.
    """

    def __init__(self, make: Callable[[], Awaitable[Answer]]) -> None:
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        answer = await self._make() if method in ("GET", "HEAD") else NOT_ALLOWED
        await send_answer(receive, send, answer, with_body=method != "HEAD")


class Beside:
    """An application with some pages that lie beside it, whatever its own paths are.

    Args:
        app: The application.
        pages: By their whole path.
    """

    def __init__(self, app: ASGIApp, pages: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = self._pages.get(scope["path"]) if scope["type"] == "http" else None
        await (page or self._app)(scope, receive, send)


def _answer(status: int, told: Mapping[str, object]) -> Answer:
    return Answer(status=status, headers=_FRESH, body=json.dumps(told).encode() + b"\n")
