"""Sending messages to the application over HTTP."""

import asyncio
import os
import ssl
import stat
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tusd_py.config import HttpHooks
from tusd_py.errors import ConfigError

from .signature import read_secret, signature_headers

if TYPE_CHECKING:
    import httpx

    from tusd_py.network import Interface
    from tusd_py.network.ways import Place

    from .connections import Choose, Connections

_MOST_CONNECTIONS = 100
# Seconds. Servers close what is idle, many after 5 s, and who sends at that moment is not heard.
_KEEP_ALIVE = 2.0
_MOST_BYTES_OF_SECRET = 1024


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent.

    Attributes:
        id: The same whenever it is sent again.
        body: JSON.
        headers: Of the client's request, passed on.
    """

    id: str
    body: bytes = field(repr=False)
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back.

    Attributes:
        status: Of the answer.
        content_type: Of its body.
        body: All of it; None if it is longer than it may be.
    """

    status: int
    content_type: str | None
    body: bytes | None


class Unanswered(Exception):
    """There was no answer; the text says why, for the log."""


@dataclass(slots=True, eq=False)
class _Client:
    """A client with its connections, and how many requests are under way."""

    http: "httpx.AsyncClient"
    connections: "Connections"
    busy: int = 0


class Sender:
    """Sends to one URL, and goes nowhere else, whatever that answers.

    Args:
        config: Where, and how long an answer may be.
        now: Tells Unix time in seconds.
    """

    def __init__(self, config: HttpHooks, now: Callable[[], float]) -> None:
        self._config = config
        self._now = now
        self._secret: bytes | None = None
        self._secure: ssl.SSLContext | None = None
        self._client: _Client | None = None
        self._former: list[_Client] = []
        self.choose: Choose = lambda _: None
        """Gives the interface to begin a connection at."""

    async def start(self) -> None:
        """Get ready.

        Raises:
            ConfigError: The secret cannot be had, or the library that sends is not installed.
        """
        self._secret, self._secure = await asyncio.to_thread(self.prepare)
        self._client = self._new_client()

    async def close(self) -> None:
        """End all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.http.aclose()

    async def renew(self) -> None:
        """Let new requests have new connections; those under way go on, idle ones are closed."""
        former = self._client
        if former is not None:
            self._client = self._new_client()
            if former.busy:
                self._former.append(former)
            else:
                await former.http.aclose()

    async def cut(self, concerned: Callable[[str], bool]) -> None:
        """End the connections that begin at an address that is concerned.

        Their requests are sent again at once, on new connections.
        """
        for client in (self._client, *self._former):
            if client is not None:
                await client.connections.end(concerned)

    async def send(self, message: Message) -> Answered:
        """Send a message, once unless its link is lost.

        Raises:
            Unanswered: There is no answer.
        """
        while True:
            async with self._borrowed() as client:
                lost = client.connections.lost
                try:
                    return await self._send(client.http, message)
                except Unanswered:
                    if client.connections.lost == lost:
                        raise

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[_Client]:
        client = self._client
        if client is None:
            raise Unanswered("it was not started")
        client.busy += 1
        try:
            yield client
        finally:
            client.busy -= 1
            if not client.busy and client in self._former:
                self._former.remove(client)
                await client.http.aclose()

    async def _send(self, client: "httpx.AsyncClient", message: Message) -> Answered:
        from .connections import FAILURES

        request = client.build_request(
            "POST", self._config.url, content=message.body, headers=self._headers(message)
        )
        try:
            response = await client.send(request, stream=True)
            try:
                body = await self._read(response)
            finally:
                await response.aclose()
        except FAILURES as error:
            # Its text may have the URL.
            raise Unanswered(type(error).__name__) from error
        return Answered(response.status_code, response.headers.get("content-type"), body)

    def _headers(self, message: Message) -> list[tuple[bytes, bytes]]:
        signed = signature_headers(self._secret, message.id, int(self._now()), message.body)
        headers = [*message.headers, ("Content-Type", "application/json"), *signed.items()]
        return [(name.encode(), value.encode("latin-1")) for name, value in headers]

    async def _read(self, response: "httpx.Response") -> bytes | None:
        body = b""
        # As it comes: a few bytes may stand for many.
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > self._config.size_limit:
                return None
        return body

    def _new_client(self) -> _Client:
        import httpx

        from .connections import Connections, Transport

        connections = Connections(self._begin_at)
        transport = Transport(
            connections, self._secure, most=_MOST_CONNECTIONS, keep_alive=_KEEP_ALIVE
        )
        client = httpx.AsyncClient(
            transport=transport,
            # Neither a proxy nor a password that the environment may have.
            trust_env=False,
            follow_redirects=False,
            # Each call has a time-out as a whole.
            timeout=None,  # noqa: S113
            headers={"User-Agent": "tusd-py", "Accept-Encoding": "identity"},
        )
        return _Client(client, connections)

    def _begin_at(self, place: "Place") -> "Interface | None":
        return self.choose(place)

    def prepare(self) -> tuple[bytes | None, ssl.SSLContext | None]:
        """Make what sending needs: the secret, and how certificates are verified. Blocks.

        Raises:
            ConfigError: It cannot be had.
        """
        secret = None if self._config.secret_file is None else _secret_in(self._config.secret_file)
        try:
            import httpx  # noqa: F401 - the first who asks for it waits here, in a thread
        except ImportError as error:
            problem = "Hooks over HTTP need a library: pip install 'tusd-py[hooks]'."
            raise ConfigError([problem]) from error
        secure = self._config.url.lower().startswith("https:")
        return secret, ssl.create_default_context() if secure else None


def check_hooks(config: HttpHooks) -> None:
    """Let hooks through that could be called.

    Raises:
        ConfigError: The secret cannot be had, or the library that sends is not installed.
    """
    Sender(config, time.time).prepare()


def _secret_in(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_MOST_BYTES_OF_SECRET).decode()
        if os.name != "nt" and stat.S_IMODE(mode) & 0o077:
            raise ConfigError([f"{path}: Others than its owner may read or change this secret."])
        return read_secret(text)
    except OSError as error:
        raise ConfigError([f"{path}: The secret cannot be read: {error.strerror}."]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: The file is not text in UTF-8."]) from error
    except ValueError as error:
        raise ConfigError([f"{path}: {error}"]) from error
