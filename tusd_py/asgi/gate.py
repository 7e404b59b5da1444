"""Who makes a request: asked in one of three ways, the same for all requests of an application."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol
from urllib.parse import quote

from tusd_py.auth.access import Access
from tusd_py.auth.grants import Grants
from tusd_py.auth.presented import (
    Presented,
    RawHeaders,
    present,
    scrubbed,
    scrubbed_parameters,
    scrubbed_query,
    without_tokens,
)
from tusd_py.errors import AccessRefused, NotAuthenticated, TusError
from tusd_py.hooks.base import Authenticate
from tusd_py.hooks.calling import call_each
from tusd_py.telemetry import get_logger

from .exchange import Exchange, Scope
from .proxy import split_path

audit = get_logger("tusd_py.audit")

_NO_HEADERS: Final[Mapping[str, str]] = {}
# A page that an upload's URL is opened in must not pass it on.
_NO_REFERRER: Final[Mapping[str, str]] = {"Referrer-Policy": "no-referrer"}


class Gate(Protocol):
    """One way to ask.

    Attributes:
        headers: For every answer.
    """

    headers: Mapping[str, str]

    def take(self, scope: Scope, prefix: str) -> Presented | None:
        """Take the tokens out of a request below a prefix, if there can be any."""
        ...

    async def admit(self, exchange: Exchange) -> Access:
        """Tell what it may do.

        Raises:
            NotAuthenticated: 401.
            AccessRefused: 403.
            Reject: The application refused.
            CallableFailed: 500.
        """
        ...

    def refused(self, exchange: Exchange, error: TusError) -> None:
        """Note that a request failed, if that is for the audit log."""
        ...


class OpenGate:
    """Asks nobody."""

    headers = _NO_HEADERS

    def take(self, scope: Scope, prefix: str) -> None:
        """Leave it as it is."""

    async def admit(self, exchange: Exchange) -> Access:  # noqa: ARG002 - the port's form
        return Access()

    def refused(self, exchange: Exchange, error: TusError) -> None:
        """Nobody is refused."""


class CallableGate:
    """Asks the application.

    Args:
        auth: Tells the subject of a request.
    """

    headers = _NO_HEADERS

    def __init__(self, auth: Authenticate) -> None:
        self._auth = auth

    def take(self, scope: Scope, prefix: str) -> None:
        """Leave it as it is."""

    async def admit(self, exchange: Exchange) -> Access:
        subject = await call_each("auth", [self._auth], exchange.request())
        if not subject:
            raise NotAuthenticated
        return Access(subject)

    def refused(self, exchange: Exchange, error: TusError) -> None:
        """The application knows whom it refused."""


class GrantsGate:
    """Asks for grants and capabilities.

    Args:
        grants: Judges them.
        clock: Tells Unix time in seconds.
    """

    headers = _NO_REFERRER

    def __init__(self, grants: Grants, clock: Callable[[], float]) -> None:
        self._grants = grants
        self._clock = clock

    def take(self, scope: Scope, prefix: str) -> Presented | None:
        """Take the tokens out of it.

        The ASGI scope is the one that the server has: its access log and what else looks at the
        path afterwards see the bare id.
        """
        if scope.get("query_string"):
            scope["query_string"] = scrubbed_query(scope["query_string"])
        _, rest = split_path(scope, prefix)
        if rest is None:
            _set_path(scope, scrubbed(scope["path"]))
            return None
        sent: RawHeaders = scope["headers"]
        presented = present(rest, _raw_path(scope), sent)
        scope["headers"] = without_tokens(sent)
        if presented.rest != rest:
            _hide(scope, rest, presented.rest)
        return presented

    async def admit(self, exchange: Exchange) -> Access:
        presented = exchange.presented or Presented("")
        return await self._grants.admit(
            presented, exchange.method, exchange.place.base, self._clock()
        )

    def refused(self, exchange: Exchange, error: TusError) -> None:
        if isinstance(error, AccessRefused | NotAuthenticated):
            audit.warning(
                "auth.refused",
                reason=str(getattr(error, "reason", error.code)),
                key_id=getattr(error, "key_id", None),
                method=exchange.method,
                path=exchange.path,
                client=exchange.place.client,
            )


def gate_of(auth: Grants | Authenticate | None, clock: Callable[[], float]) -> Gate:
    """Choose the gate for what an application gave as ``auth``."""
    if auth is None:
        return OpenGate()
    return GrantsGate(auth, clock) if isinstance(auth, Grants) else CallableGate(auth)


def _raw_path(scope: Scope) -> bytes | None:
    raw: bytes | None = scope.get("raw_path")
    # Some servers leave the query on it.
    return None if raw is None else raw.partition(b"?")[0]


def _hide(scope: Scope, rest: str, bare: str) -> None:
    path: str = scope["path"]
    _set_path(scope, path.removesuffix(rest) + bare)
    if "path_params" in scope:
        scope["path_params"] = scrubbed_parameters(scope["path_params"], rest, bare)


def _set_path(scope: Scope, path: str) -> None:
    scope["path"] = path
    if scope.get("raw_path") is not None:
        scope["raw_path"] = quote(path, safe="/:@!$&'()*+,;=~").encode()
