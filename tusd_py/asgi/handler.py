"""One request from the scope to the last byte of the answer."""

import time

from tusd_py.config import Config
from tusd_py.errors import (
    HookUnavailable,
    Reject,
    StorageFull,
    TooManyUploads,
    TransferStopped,
    TusError,
)
from tusd_py.hooks import Hooks
from tusd_py.metrics import Meters
from tusd_py.protocol.headers import VERSION
from tusd_py.protocol.requests import check_version, effective_method
from tusd_py.streaming.asking import Receive
from tusd_py.telemetry import get_logger

from .answer import Answer, Send, send_answer
from .cors import CorsHeaders
from .counting import counted
from .endpoints import Endpoints
from .errors import answer_error
from .exchange import Exchange, Scope, read_headers
from .gate import Gate
from .proxy import Proxies
from .runtime import Runtime

log = get_logger("tusd_py.requests")

_BODILESS = (204, 304)
# Server errors that are the answer to what clients or the disk do, and no failure to look into.
_ROUTINE = (HookUnavailable, Reject, TransferStopped, TooManyUploads, StorageFull)
_SERVER_ERROR = 500


class Handler:
    """Answers HTTP requests, and writes one log line for each.

    Args:
        config: The behaviour.
        hooks: The application's callables.
        gate: Tells who makes a request, and what they may do.
        runtime: Starts the engine.
        meters: Count what is done.
    """

    def __init__(
        self, config: Config, hooks: Hooks, gate: Gate, runtime: Runtime, meters: Meters
    ) -> None:
        self._config = config
        self._gate = gate
        self._runtime = runtime
        self._cors = CorsHeaders(config.cors)
        self._proxies = Proxies(config.trusted_proxies)
        self._endpoints = Endpoints(config, hooks, meters)
        self._meters = meters

    async def handle(self, scope: Scope, receive: Receive, send: Send, *, prefix: str) -> None:
        """Answer one HTTP request below a prefix."""
        began = time.perf_counter()
        # Before anything of the request is read, logged or told.
        presented = self._gate.take(scope, prefix)
        headers = read_headers(scope)
        place = self._proxies.place(scope, headers, prefix)
        exchange = Exchange(scope, receive, headers, scope["method"], place, presented)
        answer = await self._answer(exchange)
        if not answer.unheard:
            await self._send(receive, send, exchange, answer)
        seconds = time.perf_counter() - began
        self._meters.request(exchange.method, answer.status, seconds, answer.facts.get("code"))
        log.info(
            "request",
            method=exchange.method,
            path=exchange.path,
            status=answer.status,
            seconds=round(seconds, 4),
            client=place.client,
            **answer.facts,
            **exchange.measured,
        )

    async def _answer(self, exchange: Exchange) -> Answer:
        try:
            return await self._dispatch(exchange)
        except TusError as error:
            self._gate.refused(exchange, error)
            answer = answer_error(error, exchange.method, self._config)
            routine = isinstance(error, _ROUTINE)
            if answer.status >= _SERVER_ERROR and not routine:
                log.exception("request.failed", method=exchange.method, code=error.code)
        except Exception:
            log.exception("request.failed", method=exchange.method, code=TusError.code)
            unexpected = TusError("The server failed. Try again.")
            answer = answer_error(unexpected, exchange.method, self._config)
        return answer

    async def _dispatch(self, exchange: Exchange) -> Answer:
        exchange.method = effective_method(exchange.method, exchange.headers)
        if exchange.method == "OPTIONS":
            return self._endpoints.discover(await self._runtime.started(), exchange)
        endpoint = self._endpoints.find(exchange)
        check_version(exchange.method, exchange.headers)
        exchange.access = await self._gate.admit(exchange)
        return await endpoint(await self._runtime.started(), exchange)

    async def _send(self, receive: Receive, send: Send, exchange: Exchange, answer: Answer) -> None:
        cors = self._cors.of(exchange.method, exchange.headers.get("origin"))
        # clause core.every-response
        version = {} if exchange.method == "OPTIONS" else {"Tus-Resumable": VERSION}
        with_body = exchange.method != "HEAD" and answer.status not in _BODILESS
        more = (cors, version, self._gate.headers)
        if answer.stream is None and answer.part is None:
            await send_answer(receive, send, answer, *more, with_body=with_body)
            return
        engine = self._runtime.engine
        with counted(self._meters, engine, exchange, answer, send) as counting:
            await send_answer(receive, counting, answer, *more, with_body=with_body)
