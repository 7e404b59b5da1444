"""A scripted ASGI client: one request, with a body that comes whole, stalls or is cut."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tusd_py.streaming.connection import EXTENSION, PATH_SEND, ZERO_COPY, Kept, SocketBody
from tusd_py.streaming.pieces import Pieces
from tusd_py.testing.script import Disconnect, Stall

Message = MutableMapping[str, Any]
App = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]
Header = tuple[str, str]
BodyEvent = bytes | Disconnect | Stall

DISCONNECT: Final = Disconnect()
VERSION: Final[Header] = ("Tus-Resumable", "1.0.0")
OFFSET_TYPE: Final[Header] = ("Content-Type", "application/offset+octet-stream")
CHUNKED: Final[Header] = ("Transfer-Encoding", "chunked")
HOST: Final = "tus.example"
# Statuses whose responses have no body.
_BODILESS: Final = (204, 304)


@dataclass(slots=True)
class ScriptedConnection:
    """What our serving class offers an application, as a test wants it.

    Attributes:
        announced: The trailers, which appear once the body has ended.
        held: How many bytes have arrived and were not received yet; the script has them.
        trailers: The trailers so far.
        whole: All of the body has arrived.
        kernel: What the kernel says of the connection; it says nothing by default.
    """

    announced: Sequence[tuple[bytes, bytes]] = ()
    held: int = 0
    trailers: Sequence[tuple[bytes, bytes]] = ()
    whole: bool = False
    kernel: bytes = b""
    sent: Callable[[int], None] | None = None
    kept: Kept = field(default_factory=Kept)
    _callbacks: list[Callable[[], None]] = field(default_factory=list)

    def on_shutdown(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def shut_down(self) -> None:
        for callback in self._callbacks:
            callback()

    def on_sent(self, callback: Callable[[int], None]) -> None:
        self.sent = callback

    def send_in(self, pieces: Pieces) -> None:
        """Nothing is sent in pieces by itself."""

    def room(self) -> int:
        return 0

    def undelivered(self) -> int:
        return self.held

    def hand_over(self, limit: int | None) -> SocketBody | None:  # noqa: ARG002 - the port's form
        return None

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes:  # noqa: ARG002 - likewise
        return self.kernel[:size]

    def complete(self) -> bool:
        return self.whole

    def delivered(self, size: int, *, ended: bool) -> None:
        self.held = max(0, self.held - size)
        if ended:
            self.trailers = self.announced


@dataclass(frozen=True, slots=True)
class Response:
    """What the application answered; ``status`` is None if it did not.

    Attributes:
        status: The HTTP status.
        headers: In order, with names in lower case.
        body: All of it.
        reads: How often the application asked for the body.
        taken: How many bytes of the body it was given.
        from_file: It had the server send a file.
    """

    status: int | None
    headers: Sequence[Header]
    body: bytes
    reads: int
    taken: int
    from_file: bool

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    @property
    def location(self) -> str:
        location = self.header("Location")
        assert location is not None, f"{self.status}: {self.body!r}"
        return location

    @property
    def offset(self) -> int | None:
        offset = self.header("Upload-Offset")
        return None if offset is None else int(offset)


class _Body:
    """The client's side of ``receive()``."""

    def __init__(self, script: Sequence[BodyEvent], connection: ScriptedConnection | None) -> None:
        self.reads = 0
        self.taken = 0
        self.answered = asyncio.Event()
        self._left = [*script]
        self._connection = connection
        self._ended = False

    async def receive(self) -> Message:
        self.reads += 1
        while self._left and isinstance(stall := self._left[0], Stall):
            await self._stall(stall)
            self._left.pop(0)
        if not self._ended:
            return self._next()
        await self.answered.wait()
        return {"type": "http.disconnect"}

    async def _stall(self, stall: Stall) -> None:
        stall.reached.set()
        await (asyncio.Event() if stall.until is None else stall.until).wait()

    def _next(self) -> Message:
        event = self._left.pop(0) if self._left else b""
        if isinstance(event, Disconnect):
            self._left = [event]
            return {"type": "http.disconnect"}
        assert isinstance(event, bytes)
        self.taken += len(event)
        self._ended = not self._left
        if self._connection is not None:
            self._connection.delivered(len(event), ended=self._ended)
        return {"type": "http.request", "body": event, "more_body": not self._ended}


class _Answer:
    """The client's side of ``send()``, which insists on what HTTP asks of an application."""

    def __init__(self) -> None:
        self.start: Message | None = None
        self.body = b""
        self.from_file = False
        self.complete = False

    async def send(self, message: Message) -> None:
        assert not self.complete, "something was sent after the end of the response"
        if message["type"] == "http.response.start":
            assert self.start is None, "a second response was started"
            self.start = message
        else:
            assert self.start is not None, "a body was sent before the status"
            self.body += message.get("body", b"") or await self._part(message)
            self.complete = not message.get("more_body", False)

    async def _part(self, message: Message) -> bytes:
        if message["type"] not in (PATH_SEND, ZERO_COPY):
            return b""
        self.from_file = True
        if message["type"] == PATH_SEND:
            return await asyncio.to_thread(Path(message["path"]).read_bytes)
        file, offset, count = message["file"].fileno(), message["offset"], message["count"]
        data = await asyncio.to_thread(os.pread, file, count, offset)
        assert len(data) == count, "the file is shorter than what was to be sent of it"
        return data

    def headers(self) -> list[Header]:
        if self.start is None:
            return []
        return [(name.decode("ascii"), value.decode("latin-1")) for name, value in self._raw()]

    def _raw(self) -> Iterable[tuple[bytes, bytes]]:
        for name, value in self.start["headers"] if self.start else ():
            assert name == name.lower(), f"{name!r} is not in lower case, as ASGI wants names"
            assert b"\r" not in value, f"{name!r} smuggles a line"
            assert b"\n" not in value, f"{name!r} smuggles a line"
            yield name, value


class Client:
    """Sends requests to an application, without a server in between.

    Args:
        app: The ASGI application.
        base: The path of the creation URL.
        scope: What all requests have in their scope beside the usual.
    """

    def __init__(
        self, app: App, *, base: str = "/files/", scope: Mapping[str, Any] | None = None
    ) -> None:
        self.app = app
        self.base = base
        self.scope = dict(scope or {})

    async def request(
        self,
        method: str,
        url: str,
        headers: Sequence[Header] = (),
        *body: BodyEvent,
        connection: ScriptedConnection | None = None,
    ) -> Response:
        """Send a request with exactly these headers, and ``Host``."""
        receiving, answer = _Body(body, connection), _Answer()
        scope = self._scope(method, url, headers)
        if connection is not None:
            scope["extensions"] = {EXTENSION: connection}
        await self.app(scope, receiving.receive, answer.send)
        receiving.answered.set()
        status = answer.start["status"] if answer.start is not None else None
        assert answer.complete or status is None, "the response has no end"
        assert not (answer.body and status in _BODILESS), "a body came where HTTP has none"
        return Response(
            status,
            answer.headers(),
            answer.body,
            receiving.reads,
            receiving.taken,
            answer.from_file,
        )

    def _scope(self, method: str, url: str, headers: Sequence[Header]) -> dict[str, Any]:
        path, _, query = url.removeprefix(f"http://{HOST}").partition("?")
        names = {name.lower() for name, _ in headers}
        sent = headers if "host" in names else [("Host", HOST), *headers]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent],
            "client": ("192.0.2.1", 50_000),
            "server": ("127.0.0.1", 1080),
            "state": {},
            **self.scope,
        }

    async def create(
        self,
        *body: BodyEvent,
        length: int | None = None,
        headers: Sequence[Header] = (),
        chunked: bool = False,
        connection: ScriptedConnection | None = None,
    ) -> Response:
        """POST, with the length deferred if there is none, and with the first bytes if any."""
        known = ("Upload-Defer-Length", "1") if length is None else ("Upload-Length", str(length))
        typed = [OFFSET_TYPE] if body else []
        sent = [VERSION, known, *typed, *_framing(body, chunked=chunked), *headers]
        return await self.request("POST", self.base, sent, *body, connection=connection)

    async def new(
        self, *body: BodyEvent, length: int | None = None, headers: Sequence[Header] = ()
    ) -> str:
        """Create an upload and return its URL."""
        return (await self.create(*body, length=length, headers=headers)).location

    async def part(self, data: bytes, *, length: int | None = None) -> str:
        """Create a partial upload with these bytes, finished unless it is longer."""
        length = len(data) if length is None else length
        return await self.new(data, length=length, headers=[("Upload-Concat", "partial")])

    async def concatenate(self, *urls: str, headers: Sequence[Header] = ()) -> Response:
        """POST for a final upload of these parts."""
        concat = ("Upload-Concat", "final;" + " ".join(urls))
        return await self.request("POST", self.base, [VERSION, concat, *headers])

    async def patch(
        self,
        url: str,
        offset: int,
        *body: BodyEvent,
        headers: Sequence[Header] = (),
        chunked: bool = False,
        connection: ScriptedConnection | None = None,
    ) -> Response:
        """PATCH; a body that does not come in one piece is chunked."""
        where = ("Upload-Offset", str(offset))
        sent = [VERSION, OFFSET_TYPE, where, *_framing(body, chunked=chunked), *headers]
        return await self.request("PATCH", url, sent, *body, connection=connection)

    async def head(self, url: str) -> Response:
        return await self.request("HEAD", url, [VERSION])

    async def delete(self, url: str) -> Response:
        return await self.request("DELETE", url, [VERSION])

    async def get(self, url: str) -> Response:
        return await self.request("GET", url)

    async def options(self, headers: Sequence[Header] = ()) -> Response:
        return await self.request("OPTIONS", self.base, headers)


def _framing(body: Sequence[BodyEvent], *, chunked: bool) -> list[Header]:
    chunks = [event for event in body if isinstance(event, bytes)]
    if chunked or len(chunks) < len(body):
        return [CHUNKED]
    return [("Content-Length", str(sum(map(len, chunks))))]
