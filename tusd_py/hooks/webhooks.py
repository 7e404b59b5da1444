"""Hooks over HTTP: asking an application that is another program, and telling it."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from tusd_py.config import HookName, HttpHooks
from tusd_py.errors import HookUnavailable, Reject, can_be_sent
from tusd_py.metadata import Event
from tusd_py.metrics import Meters
from tusd_py.protocol.upload import Upload
from tusd_py.telemetry import get_logger

from .base import Changes, NewUpload, Reply, Request
from .breaker import Breaker, BreakerState
from .delivery import DeliveryFailed, NotNow
from .measured import counted
from .payload import (
    CREDENTIALS,
    Facts,
    bare_facts,
    canonical,
    creation_facts,
    hook_body,
    request_facts,
    upload_facts,
)
from .sender import Answered, Message, Sender, Unanswered
from .verdict import BadAnswer, Verdict, read_verdict

if TYPE_CHECKING:
    from .connections import Choose

log = get_logger("tusd_py.hooks")

T = TypeVar("T")
Storage = Mapping[str, str] | None

_OK = range(200, 300)
# How many messages about running transfers are under way at once; further ones are left out.
_MOST_PROGRESS = 32
_FAILED = range(500, 600)
# An application that fails at what somebody sent is there, and is called for all others.
_DOWN = (502, 503, 504)


class Webhooks:
    """The hooks of one event loop.

    Those that have a say are waited for: tried a few times, and if there is no answer then, the
    request fails in a way that its client tries again. The others are told by whoever keeps the
    events, one attempt at a time.

    Args:
        config: Where, which, and how patient.
        now: Tells Unix time in seconds.
        new_id: Names messages.
        sender: Sends them; None is one over HTTP.
        clock: Tells monotonic time in seconds; None is that of the event loop.
        meters: Count the calls; None counts for nobody.
    """

    def __init__(
        self,
        config: HttpHooks,
        *,
        now: Callable[[], float],
        new_id: Callable[[], str],
        sender: Sender | None = None,
        clock: Callable[[], float] | None = None,
        meters: Meters | None = None,
    ) -> None:
        self._meters = meters or Meters()
        self._config = config
        self._new_id = new_id
        self._sender = sender or Sender(config, now)
        self._breaker = Breaker(clock or _loop_time)
        self._wanted = frozenset(config.enabled_events)
        forwarded = {name.lower() for name in config.forward_headers}
        self._not_kept = CREDENTIALS - forwarded
        self._progress = asyncio.Semaphore(_MOST_PROGRESS)

    async def start(self) -> None:
        """Get ready.

        Raises:
            ConfigError: The secret cannot be had, or the library that sends is not installed.
        """
        await self._sender.start()

    async def close(self) -> None:
        """End all connections."""
        await self._sender.close()

    @property
    def breaker(self) -> BreakerState:
        """Whether the application is being called."""
        return self._breaker.state

    @property
    def ready(self) -> bool:
        """A message would be sent at this moment."""
        return self._breaker.ready

    @property
    def progress_interval(self) -> float:
        """Seconds between two messages about a running transfer."""
        return self._config.progress_interval

    def wants(self, name: HookName) -> bool:
        """There is such a hook."""
        return name in self._wanted

    def kept_body(
        self, name: HookName, upload: Upload, storage: Storage, request: Request | None
    ) -> bytes:
        """The body of a message that is kept on the disk until it was heard."""
        facts = request_facts(request, without=self._not_kept)
        return hook_body(name, upload_facts(upload, storage), facts)

    def begin_at(self, choose: "Choose") -> None:
        """Begin connections where this says: it gives an interface for a place, or None."""
        self._sender.choose = choose

    async def links_changed(self, concerned: Callable[[str], bool]) -> None:
        """Send at once again what is under way from a local address that is concerned."""
        await self._sender.cut(concerned)

    async def switched(self) -> None:
        """Let what is sent from now on have new connections."""
        await self._sender.renew()

    async def pre_access(self, request: Request) -> None:
        """Ask about a request.

        Raises:
            Reject: It is refused.
            HookUnavailable: 503.
        """
        facts = bare_facts(request.upload_id)
        await self._ask("pre-access", facts, request, lambda verdict: _may(verdict, "rejectaccess"))

    async def pre_create(self, new: NewUpload) -> Changes | None:
        """Ask about a new upload.

        Raises:
            Reject: It is refused.
            HookUnavailable: 503.
        """

        def read(verdict: Verdict) -> Changes | None:
            _may(verdict, "rejectupload")
            return verdict.changes()

        return await self._ask("pre-create", creation_facts(new), new.request, read)

    async def pre_finish(
        self, upload: Upload, storage: Storage, request: Request | None
    ) -> Reply | None:
        """Ask about an upload whose bytes are all there.

        Raises:
            Reject: The answer is to have a status of 400 or more.
            HookUnavailable: 503.
        """

        def read(verdict: Verdict) -> Reply | None:
            if verdict.status is not None and verdict.status >= 400:  # noqa: PLR2004 - HTTP's
                raise verdict.refusal()
            return verdict.reply()

        return await self._ask("pre-finish", upload_facts(upload, storage), request, read)

    async def pre_terminate(
        self, upload: Upload, storage: Storage, request: Request | None
    ) -> Reply | None:
        """Ask about an upload that a client wants to remove.

        Raises:
            Reject: It stays.
            HookUnavailable: 503.
        """

        def read(verdict: Verdict) -> Reply | None:
            _may(verdict, "rejecttermination")
            return verdict.reply()

        return await self._ask("pre-terminate", upload_facts(upload, storage), request, read)

    async def post_receive(
        self, upload: Upload, storage: Storage, request: Request | None
    ) -> Reject | None:
        """Tell how far a transfer is, once; returns what to end it with, if that is wanted."""
        if self._progress.locked():
            # Those who are waited for come first.
            self._meters.hook("post-receive", "skipped", 0.0)
            return None
        message = self._message("post-receive", upload_facts(upload, storage), request)
        try:
            async with self._progress:
                with counted("post-receive", self._meters):
                    verdict = _read(await self._send(message, self._until()))
                    return verdict.refusal() if verdict.stop else None
        except NotNow:
            return None
        except (Unanswered, BadAnswer) as failure:
            self._note("post-receive", failure)
            return None

    async def deliver(self, event: Event) -> None:
        """Tell an event, once.

        Raises:
            NotNow: The application is left alone for the moment.
            DeliveryFailed: It did not take it.
        """
        payload = event.payload or "{}"
        message = Message(event.id, payload.encode(), self._forwarded(_request_of(payload)))
        with counted(event.name, self._meters):
            try:
                answer = await self._send(message, self._until())
            except Unanswered as failure:
                raise DeliveryFailed(f"There was no answer: {failure}.") from failure
            if answer.status not in _OK:
                raise DeliveryFailed(f"The answer was {answer.status}.")

    async def _ask(
        self, name: HookName, upload: Facts, request: Request | None, read: Callable[[Verdict], T]
    ) -> T:
        """Send a message until there is an answer, and read it.

        Raises:
            Reject: That is the answer.
            HookUnavailable: 503, there is none.
        """
        message = self._message(name, upload, request)
        with counted(name, self._meters):
            try:
                return read(_read(await self._send_repeatedly(message)))
            except (NotNow, Unanswered, BadAnswer) as failure:
                self._note(name, failure)
                raise HookUnavailable(name) from failure

    def _message(self, name: HookName, upload: Facts, request: Request | None) -> Message:
        facts = request_facts(request)
        return Message(self._new_id(), hook_body(name, upload, facts), self._forwarded(facts))

    def _until(self) -> float:
        return asyncio.get_running_loop().time() + self._config.timeout

    async def _send_repeatedly(self, message: Message) -> Answered:
        """Send a message until it is answered, as often and as long as it may be tried.

        Raises:
            NotNow: The application is left alone for the moment.
            Unanswered: There is no answer.
        """
        until = self._until()
        for _ in range(self._config.retry - 1):
            try:
                answer = await self._send(message, until)
            except Unanswered:
                if self._too_late(until):
                    raise
            else:
                if answer.status not in _FAILED or self._too_late(until):
                    return answer
            await asyncio.sleep(self._config.backoff)
        return await self._send(message, until)

    def _too_late(self, until: float) -> bool:
        return asyncio.get_running_loop().time() + self._config.backoff >= until

    async def _send(self, message: Message, until: float) -> Answered:
        """Send a message once, if the application is not left alone.

        Raises:
            NotNow: It is.
            Unanswered: There is no answer until then.
        """
        call = self._breaker.admit()
        if call is None:
            raise NotNow
        try:
            async with asyncio.timeout_at(until):
                answer = await self._sender.send(message)
        except TimeoutError as error:
            call.failed()
            raise Unanswered("it took too long") from error
        except Unanswered:
            call.failed()
            raise
        except BaseException:
            call.abandoned()
            raise
        if answer.status in _DOWN:
            call.failed()
        else:
            call.succeeded()
        return answer

    def _forwarded(self, facts: Facts) -> list[tuple[str, str]]:
        headers: Mapping[str, list[str]] = facts.get("Header") or {}
        return [
            (name, value)
            for name in self._config.forward_headers
            for value in headers.get(canonical(name.lower()), ())
            if can_be_sent(name, value)
        ]

    def _note(self, name: HookName, failure: Exception) -> None:
        why = str(failure) or type(failure).__name__
        log.warning("hook.failed", hook=name, why=why, breaker=self.breaker.value)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _read(answer: Answered) -> Verdict:
    if answer.status not in _OK:
        raise BadAnswer(f"its status is {answer.status}")
    if answer.body is None:
        raise BadAnswer("it is too long")
    return read_verdict(answer.content_type, answer.body)


def _may(verdict: Verdict, name: str) -> None:
    if name in verdict.reject:
        raise verdict.refusal()


def _request_of(payload: str) -> Facts:
    event = json.loads(payload).get("Event", {})
    facts: Facts = event.get("HTTPRequest", {})
    return facts
