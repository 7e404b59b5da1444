"""One request, as far as the endpoints need it."""

from collections.abc import Mapping, MutableMapping
from functools import partial
from typing import Any

from tusd_py.auth.access import Access
from tusd_py.auth.presented import Presented
from tusd_py.config import Config
from tusd_py.hooks import Request
from tusd_py.protocol.requests import Headers
from tusd_py.protocol.upload import UploadId
from tusd_py.streaming import BodySource, Interrupt, Stop
from tusd_py.streaming.asking import Asking, Receive
from tusd_py.streaming.connection import EXTENSION, PATH_SEND, ZERO_COPY, Connection
from tusd_py.streaming.direct import DirectBody
from tusd_py.streaming.received import ReceivedBody
from tusd_py.threads import WorkerThreads
from tusd_py.uploads.engine import Incoming
from tusd_py.uploads.link import ClientLink

from .buffers import Buffers, Start
from .proxy import Place

Scope = MutableMapping[str, Any]

_SENDING = frozenset({ZERO_COPY, PATH_SEND})
_TRAILER = b"upload-checksum"


def read_headers(scope: Mapping[str, Any]) -> dict[str, str]:
    """The headers by lower-case name, repeated ones joined by commas.

    Taken once, before the body: some servers append trailers to the scope's list.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("latin-1").strip(" \t")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    if scope.get("http_version", "1.1") >= "2" and "content-length" not in headers:
        # There a body of any length needs no header that announces it.
        headers.setdefault("transfer-encoding", "chunked")
    return headers


class Exchange:
    """A request and what belongs to it.

    Args:
        scope: The ASGI scope.
        receive: The ASGI callable.
        headers: By lower-case name.
        method: The effective method.
        place: Where the request is on the outside.
        presented: The tokens that were taken out of the scope; None where nobody asks for them.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        headers: Headers,
        method: str,
        place: Place,
        presented: Presented | None,
    ) -> None:
        self.scope = scope
        self.headers = headers
        self.method = method
        self.place = place
        self.presented = presented
        self.access = Access()
        self._receive = receive
        extensions = scope.get("extensions") or {}
        self.connection: Connection | None = extensions.get(EXTENSION)
        self._extensions = frozenset(extensions)
        self._link: ClientLink | None = None

    @property
    def subject(self) -> str | None:
        """Who makes the request; None without authentication, and before it."""
        return self.access.subject

    @property
    def path(self) -> str:
        """The path on the outside, or as it came if it leads elsewhere."""
        if self.place.rest is None:
            return str(self.scope["path"])
        return self.place.base + self.place.rest

    @property
    def upload_id(self) -> UploadId | None:
        """The upload that the path names; None for the creation URL."""
        return UploadId(self.place.rest) if self.place.rest else None

    def link(self) -> ClientLink:
        """Who makes the request, and over what; after authentication."""
        if self._link is None:
            self._link = ClientLink(
                subject=self.subject,
                address=self.place.client,
                local=self.local_address if self.place.direct else None,
                connection=self.connection if self.place.direct else None,
                direct=self.place.direct,
            )
        return self._link

    @property
    def measured(self) -> Mapping[str, object]:
        """What was measured of its client, for the log."""
        return self._link.facts if self._link is not None else {}

    def sending(self, config: Config) -> frozenset[str]:
        """ASGI's extensions for sending files that the server offers, and that may be used."""
        return self._extensions & _SENDING if config.direct_body else frozenset()

    def request(self) -> Request:
        """The request as the application's callables see it."""
        return Request(
            method=self.method,
            path=self.path,
            upload_id=self.upload_id,
            headers=self.headers,
            client=self.place.client,
            subject=self.subject,
            scope=self.scope,
        )

    @property
    def local_address(self) -> str | None:
        """Where the connection ends on this machine; None if that is no address."""
        server = self.scope.get("server")
        return None if server is None or server[1] is None else server[0]

    def incoming(
        self, buffers: Buffers, start: Start, threads: WorkerThreads, config: Config
    ) -> Incoming:
        """The body, wired to whatever can end it."""
        interrupt = Interrupt()
        if self.connection is not None:
            self.connection.on_shutdown(lambda: interrupt.set(Stop.SHUTDOWN))
        # That of our own serving class can be called again; what stands in between need not.
        own = getattr(self._receive, "__self__", None) is self.connection
        received = ReceivedBody(
            Asking(self._receive, repeatable=own and self.connection is not None),
            partial(buffers.incoming, self.connection, start),
            idle_timeout=config.idle_timeout,
            min_rate=config.min_rate,
            connection=self.connection,
            moved=buffers.moved,
        )
        source: BodySource = received
        if self.connection is not None and config.direct_body:
            source = DirectBody(
                received, self.connection, threads, idle_timeout=config.idle_timeout
            )
        return Incoming(
            source=source,
            interrupt=interrupt,
            trailer=self._trailer,
            local=self.local_address,
            link=self.link,
        )

    def _trailer(self) -> str | None:
        trailers = self.connection.trailers if self.connection is not None else ()
        for name, value in trailers:
            if name.lower() == _TRAILER:
                return value.decode("latin-1").strip(" \t")
        return None
