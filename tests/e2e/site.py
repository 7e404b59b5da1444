"""The pages of examples/, built and served from an origin of their own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.tus_js import install
from tests.support.server import HOST
from tests.support.tools import built_once, require_tool, run_tool

EXAMPLES = Path(__file__).parents[2] / "examples"
PLAIN = EXAMPLES / "tus-js-client"
UPPY = EXAMPLES / "uppy"
# What stands in the pages, and what a user of them replaces.
ENDPOINT = 'name="tus-endpoint" content="http://127.0.0.1:1080/files/"'
GRANTS = 'name="grants" content=""'


def plain_page() -> Path:
    """The folder of the page with tus-js-client alone, with what it needs."""
    return built_once("plain-page", PLAIN, install)


def uppy_page() -> Path:
    """The folder of the page with Uppy, as Vite builds it."""

    def build(folder: Path) -> None:
        install(folder)
        run_tool([require_tool("npm"), "run", "build"], cwd=folder)

    return built_once("uppy-page", UPPY, build) / "dist"


class Site:
    """Serves the pages, and gives grants like an application's backend.

    `endpoint` is where the pages create uploads. `give_grant`, if it is set, gets the length
    that a page asks for, and gives a grant or None for no.
    """

    def __init__(self, folder: Path) -> None:
        """`folder`: the one in which the pages are."""
        self.endpoint = ""
        self.give_grant: Callable[[int], str | None] | None = None
        handler = partial(_Handler, directory=str(folder))
        self._server = ThreadingHTTPServer((HOST, 0), handler)
        self._server.site = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, name="site", daemon=True)

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    def filled_in(self, page: str) -> str:
        """The page as its user sets it up."""
        grants = "/grants" if self.give_grant else ""
        assert ENDPOINT in page
        assert GRANTS in page
        return page.replace(ENDPOINT, f'name="tus-endpoint" content="{self.endpoint}"').replace(
            GRANTS, f'name="grants" content="{grants}"'
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(SimpleHTTPRequestHandler):
    @property
    def _site(self) -> Site:
        site: Site = self.server.site  # type: ignore[attr-defined]
        return site

    def do_GET(self) -> None:
        if not self.path.endswith("/"):
            super().do_GET()
            return
        page = Path(self.translate_path(self.path)) / "index.html"
        self._answer(HTTPStatus.OK, "text/html", self._site.filled_in(page.read_text()))

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        give = self._site.give_grant
        grant = give(wanted["length"]) if give and self.path == "/grants" else None
        status = HTTPStatus.OK if grant else HTTPStatus.FORBIDDEN
        self._answer(status, "application/json", json.dumps({"grant": grant}))

    def log_message(self, *_: object) -> None:
        """Be quiet: what matters is in the server's log."""

    def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
