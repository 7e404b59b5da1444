"""The verbs: from a request to what the engine does, and to the answer."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import lru_cache, partial
from urllib.parse import quote

from tusd_py.config import Config
from tusd_py.errors import MethodNotAllowed, NotSupported, UploadNotFound
from tusd_py.hooks import Hooks, Reply
from tusd_py.hooks.calling import call_each
from tusd_py.metrics import Meters
from tusd_py.protocol.extensions import Capabilities, discovery
from tusd_py.protocol.requests import parse_append, parse_creation
from tusd_py.protocol.responses import inspection_headers, offset_headers
from tusd_py.protocol.rules import part_ids
from tusd_py.protocol.upload import Kind, Upload, UploadId
from tusd_py.storage import Composing
from tusd_py.threads import WorkerThreads
from tusd_py.uploads.advice import advised_chunk_size
from tusd_py.uploads.append import append
from tusd_py.uploads.concatenate import concatenate
from tusd_py.uploads.create import create
from tusd_py.uploads.engine import Engine, Incoming, Outcome
from tusd_py.uploads.inspect import inspect
from tusd_py.uploads.repeats import meet, once
from tusd_py.uploads.terminate import terminate

from .answer import Answer
from .buffers import Buffers, Start, start_size
from .download import Ways, download, downloadable
from .exchange import Exchange

# What a path of a URL may have as it is; the rest came decoded and goes out encoded.
_SAFE = "/:@!$&'()*+,;=~"
_MAYBE_AN_ID = re.compile(r"[A-Za-z0-9_-]{0,128}", re.ASCII)

_NO_REPLY = Reply()

# For bodies that come straight from sockets: each takes one only while it keeps coming.
_BODY_THREADS = 4

Endpoint = Callable[[Engine, Exchange], Awaitable[Answer]]


class Endpoints:
    """Answers requests that were found worth answering: routed, of our version, of a known subject.

    Args:
        config: The behaviour.
        hooks: The application's callables.
        meters: Count what is done.
    """

    def __init__(self, config: Config, hooks: Hooks, meters: Meters) -> None:
        self._config = config
        self._hooks = hooks
        self._meters = meters
        self._buffers = Buffers(config, meters)
        self._threads = WorkerThreads(_BODY_THREADS, "tusd-py-body")
        self._collection: dict[str, Endpoint] = {"POST": self._create}
        self._upload: dict[str, Endpoint] = {"HEAD": self._inspect, "PATCH": self._append}
        if not config.disable_download:
            self._upload["GET"] = self._download
        if not config.disable_termination:
            self._upload["DELETE"] = self._terminate

    def find(self, exchange: Exchange) -> Endpoint:
        """Choose the endpoint for a request.

        Raises:
            UploadNotFound: 404, the path is no upload's.
            MethodNotAllowed: 405.
        """
        if exchange.place.rest is None or not _MAYBE_AN_ID.fullmatch(exchange.place.rest):
            raise UploadNotFound(exchange.path)
        endpoints = self._upload if exchange.place.rest else self._collection
        try:
            return endpoints[exchange.method]
        except KeyError:
            raise MethodNotAllowed(("OPTIONS", *endpoints)) from None

    def discover(self, engine: Engine, exchange: Exchange) -> Answer:
        """Answer OPTIONS, for clients that look around and for preflights alike."""
        can = Capabilities(
            composes=self._composes(engine),
            expires=self._config.expire_after is not None or bool(self._hooks.on_create),
            terminates=not self._config.disable_termination,
            trailers=exchange.connection is not None,
        )
        return Answer(status=200, headers=discovery(can, self._config.max_size))

    async def _create(self, engine: Engine, exchange: Exchange) -> Answer:
        creation = parse_creation(exchange.headers, self._config.max_size)
        if creation.kind is not Kind.PLAIN and not self._composes(engine):
            raise NotSupported("concatenation")
        terms = exchange.access.terms(creation)
        await self._access(engine, exchange)
        request = exchange.request()
        incoming = self._incoming(engine, exchange)
        base = _quoted(exchange.place.base)
        if creation.kind is Kind.FINAL:
            parts = part_ids(creation.part_urls, exchange.place.origin + base)
            exchange.access.check_parts(parts)
            make = partial(concatenate, engine, creation, parts, request, incoming, terms)
        else:
            make = partial(create, engine, creation, request, incoming, terms)
        outcome = await once(engine, terms, creation, exchange.subject, make)
        location = base + exchange.access.segment(outcome.upload)
        if not self._config.relative_location:
            location = exchange.place.origin + location
        # clause creation.location, clause creation-with-upload.offset
        return _answer(
            201, outcome, {"Location": location, **_advice(engine, exchange, outcome.upload)}
        )

    async def _inspect(self, engine: Engine, exchange: Exchange) -> Answer:
        await self._access(engine, exchange)
        upload_id, request = _upload_id(exchange), exchange.request()
        upload = await inspect(engine, upload_id, exchange.subject, request)
        await meet(engine, upload)
        headers = {**inspection_headers(upload), **_advice(engine, exchange, upload)}
        return Answer(status=200, headers=headers, facts=_facts(upload))

    async def _append(self, engine: Engine, exchange: Exchange) -> Answer:
        wanted = parse_append(exchange.headers, self._config.max_size)
        await self._access(engine, exchange)
        incoming = self._incoming(engine, exchange)
        outcome = await append(engine, _upload_id(exchange), wanted, exchange.request(), incoming)
        # clause patch.success
        return _answer(204, outcome, _advice(engine, exchange, outcome.upload))

    async def _terminate(self, engine: Engine, exchange: Exchange) -> Answer:
        await self._access(engine, exchange)
        reply = await terminate(
            engine,
            _upload_id(exchange),
            exchange.subject,
            exchange.access.check_removal,
            exchange.request(),
        )
        reply = reply or _NO_REPLY
        # clause termination.success
        return Answer(status=reply.status or 204, headers={**reply.headers}, body=reply.body)

    async def _download(self, engine: Engine, exchange: Exchange) -> Answer:
        await self._access(engine, exchange)
        upload_id = _upload_id(exchange)
        upload = await engine.find(upload_id, exchange.subject)
        if not downloadable(upload, unfinished=self._config.download_unfinished):
            raise UploadNotFound(upload_id)
        await meet(engine, upload)
        pieces = self._buffers.outgoing(exchange.connection, _start(engine, exchange))
        ways = Ways(exchange.sending(self._config), pieces)
        answer = await download(engine.storage, upload, exchange.headers, ways)
        return replace(answer, facts={**answer.facts, **_facts(upload)})

    def _incoming(self, engine: Engine, exchange: Exchange) -> Incoming:
        start = _start(engine, exchange)
        return exchange.incoming(self._buffers, start, self._threads, self._config)

    async def _access(self, engine: Engine, exchange: Exchange) -> None:
        if self._hooks.on_access:
            await call_each("on_access", self._hooks.on_access, exchange.request())
        if engine.webhooks is not None and engine.webhooks.wants("pre-access"):
            await engine.webhooks.pre_access(exchange.request())

    def _composes(self, engine: Engine) -> bool:
        return isinstance(engine.storage, Composing) and not self._config.disable_concatenation


def _start(engine: Engine, exchange: Exchange) -> Start:
    return partial(start_size, engine.monitor, exchange.local_address)


@lru_cache
def _quoted(base: str) -> str:
    return quote(base, safe=_SAFE)


def _upload_id(exchange: Exchange) -> UploadId:
    return UploadId(exchange.place.rest or "")


def _answer(status: int, outcome: Outcome, headers: dict[str, str]) -> Answer:
    reply = outcome.reply or _NO_REPLY
    return Answer(
        status=reply.status or status,
        headers={**reply.headers, **headers, **offset_headers(outcome.upload)},
        body=reply.body,
        facts=_facts(outcome.upload),
    )


def _advice(engine: Engine, exchange: Exchange, upload: Upload) -> dict[str, str]:
    """How large the next requests had better be, if there is anything to say about that."""
    chunk = advised_chunk_size(engine, exchange.link, upload)
    return {} if chunk is None else {"Upload-Recommended-Chunk-Size": str(chunk)}


def _facts(upload: Upload) -> dict[str, object]:
    return {
        "upload_id": upload.id,
        "offset": upload.offset,
        "length": upload.length,
        "finished": upload.finished,
    }
