"""The port of hooks: the application's callables and what they are given."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tusd_py.errors import check_headers
from tusd_py.protocol.upload import Kind, Upload, UploadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The request that is being answered. Its body is not offered: it belongs to the upload.

    Attributes:
        method: The effective method, after ``X-HTTP-Method-Override``.
        path: The path of the URL, with any prefix under which the application is mounted.
        upload_id: Which upload it addresses; None for a creation.
        headers: By lower-case name.
        client: The client's address, as told by a trusted proxy or else the connection.
        subject: Who asks, as authentication says; None without authentication.
        scope: The ASGI scope, for what frameworks keep there (session, state).
    """

    method: str
    path: str
    upload_id: UploadId | None
    headers: Mapping[str, str]
    client: str | None = None
    subject: str | None = None
    scope: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUpload:
    """An upload that is about to be created.

    Attributes:
        kind: Plain, partial or final.
        length: ``Upload-Length`` in bytes; None if deferred, or of a final upload not known yet.
        metadata: ``Upload-Metadata``, decoded.
        request: The creating request.
        parts: The partial uploads of a final one, in order.
        chunk_size: How many bytes the client is advised to send with each request; None is no
            advice.
    """

    kind: Kind
    length: int | None
    metadata: Mapping[str, bytes]
    request: Request
    parts: tuple[UploadId, ...] = ()
    chunk_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the request that creates or finishes an upload is answered with.

    Attributes:
        status: 200 to 299; None is the protocol's own.
        headers: Further headers, by name.
        body: Sent if the status allows one.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __post_init__(self) -> None:
        if self.status is not None and not 200 <= self.status <= 299:  # noqa: PLR2004 - HTTP's range
            raise ValueError("A reply's status is between 200 and 299; raise Reject to refuse.")
        check_headers(self.headers)

    def followed_by(self, later: "Reply | None") -> "Reply":
        """This reply with what a later one says instead or besides."""
        if later is None:
            return self
        return Reply(
            status=later.status or self.status,
            headers={**self.headers, **later.headers},
            body=later.body or self.body,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a callable wants to be different about a new upload; None leaves things as they are.

    Attributes:
        id: Its id: 1 to 128 of ``A-Z a-z 0-9 _ -``, the first not ``_`` or ``-``.
        metadata: Instead of the client's, and echoed to it.
        max_length: The most bytes it may have.
        lifetime: Seconds without an append until it is removed unfinished; ``math.inf`` is never.
        path: Where the finished file goes, below the storage's folder of finished files.
        reply: What the creating request is answered with.
    """

    id: str | None = None
    metadata: Mapping[str, bytes] | None = None
    max_length: int | None = None
    lifetime: float | None = None
    path: str | None = None
    reply: Reply | None = None

    def __post_init__(self) -> None:
        if self.max_length is not None and self.max_length < 0:
            raise ValueError("max_length is a number of bytes, not negative.")
        if self.lifetime is not None and (math.isnan(self.lifetime) or self.lifetime <= 0):
            raise ValueError("lifetime is a number of seconds above zero.")


Authenticate = Callable[[Request], Awaitable[str | None]]
OnAccess = Callable[[Request], Awaitable[None]]
OnCreate = Callable[[NewUpload], Awaitable[Changes | None]]
BeforeFinish = Callable[[Upload], Awaitable[Reply | None]]
OnFinish = Callable[[Upload, str], Awaitable[None]]


@dataclass(slots=True)
class Hooks:
    """The callables that were registered, each kind in the order of registration."""

    on_access: list[OnAccess] = field(default_factory=list)
    on_create: list[OnCreate] = field(default_factory=list)
    before_finish: list[BeforeFinish] = field(default_factory=list)
    on_finish: list[OnFinish] = field(default_factory=list)
