"""An application that hears tusd's hooks, of the shape that their public documentation has.

It is a server of its own on a free loopback port, for whatever server is under test to call.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]

_PATIENCE = 20.0


@dataclass(frozen=True)
class Answer:
    """How a request is answered.

    Attributes:
        status: The HTTP status.
        headers: By name.
        body: As it is sent.
        hang: Wait for this before anything is sent.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    body: bytes = b"{}"
    hang: threading.Event | None = None


@dataclass(frozen=True)
class Heard:
    """One request that came.

    Attributes:
        type: The name of the hook.
        headers: By lower-case name, the last of each.
        lines: All of them, in order.
        document: The JSON of the body.
        body: The body as it came.
        at: When it came, by the monotonic clock.
    """

    type: str
    headers: dict[str, str]
    lines: tuple[tuple[str, str], ...]
    document: Json
    body: bytes
    at: float

    @property
    def upload(self) -> Json:
        return dict(self.document["Event"]["Upload"])

    @property
    def request(self) -> Json:
        return dict(self.document["Event"]["HTTPRequest"])

    def all(self, name: str) -> list[str]:
        """The values of a header."""
        return [value for each, value in self.lines if each.lower() == name.lower()]

    @property
    def id(self) -> str:
        """What tells one message from another."""
        return self.headers["webhook-id"]


Say = Callable[[Heard], Answer]


def saying(document: object) -> Answer:
    """An answer with some JSON."""
    return Answer(body=json.dumps(document).encode())


class HookServer:
    """What was heard so far, and what is answered to it.

    Attributes:
        say: Chooses an answer by what was heard.
    """

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.say: Say = lambda _: Answer()
        self._news = threading.Condition()
        self._answered = 0
        self.url = ""

    @property
    def types(self) -> list[str]:
        """The names of the hooks that were heard."""
        return [heard.type for heard in self.heard]

    def of(self, kind: str) -> list[Heard]:
        """What was heard of one hook."""
        return [heard for heard in self.heard if heard.type == kind]

    def wait_for(self, done: Callable[[], object], otherwise: str = "") -> None:
        """Wait until something is so, which is looked at whenever something was heard."""
        with self._news:
            if not self._news.wait_for(done, _PATIENCE):
                raise AssertionError(f"{otherwise or 'It does not happen'}: {self.types}")

    def wait_for_types(self, *types: str) -> None:
        """Wait until just these hooks have been heard, in whatever order."""
        self.wait_for(lambda: len(self.heard) >= len(types), f"wanted {types}")
        assert sorted(types) == sorted(self.types)

    def hear(self, heard: Heard) -> Answer:
        with self._news:
            self.heard.append(heard)
            answer = self.say(heard)
            self._news.notify_all()
        if answer.hang is not None:
            answer.hang.wait(_PATIENCE)
        return answer


class _Handler(BaseHTTPRequestHandler):
    hooks: HookServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        document = json.loads(body)
        lines = tuple(self.headers.items())
        headers = {name.lower(): value for name, value in lines}
        heard = Heard(document["Type"], headers, lines, document, body, time.monotonic())
        answer = self.hooks.hear(heard)
        try:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
        except OSError:
            # Whoever asked has given up.
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """What came is in ``heard``."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Many at once are not to wait for each other.
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Clients that are killed are a part of the tests."""


@contextmanager
def hook_server(port: int = 0, *, tls: ssl.SSLContext | None = None) -> Iterator[HookServer]:
    """Serve hooks until the end of the block."""
    hooks = HookServer()
    handler = type("Handler", (_Handler,), {"hooks": hooks})
    server = _Server(("127.0.0.1", port), handler)
    scheme = "http"
    if tls is not None:
        scheme, server.socket = "https", tls.wrap_socket(server.socket, server_side=True)
    hooks.url = f"{scheme}://127.0.0.1:{server.server_address[1]}/hooks"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hooks
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_PATIENCE)
