"""The connections of hooks' requests: over which link they go, and their end when it is lost."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Self
from weakref import WeakKeyDictionary

import httpcore
import httpx

from tusd_py.network import Interface
from tusd_py.network.ways import Place, connected_over

Choose = Callable[[Place], Interface | None]
"""Gives the interface to begin at; None leaves that to the system."""

# What httpcore raises has no root of its own.
FAILURES = (
    httpx.HTTPError,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
)


class Connections(httpcore.AsyncNetworkBackend):
    """Makes connections, and ends those that lost their link.

    Args:
        choose: Says where to begin.
    """

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self._usual = httpcore.AnyIOBackend()
        self._open: WeakKeyDictionary[httpcore.AsyncNetworkStream, str] = WeakKeyDictionary()
        self.lost = 0
        """How often connections lost their link."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the port's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._over_chosen(host, port)
        if stream is None:
            stream = await self._usual.connect_tcp(
                host, port, timeout, local_address, socket_options
            )
        local = stream.get_extra_info("client_addr")
        if local:
            self._open[stream] = str(local[0])
        return stream

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def end(self, concerned: Callable[[str], bool]) -> None:
        """End the connections whose local address is concerned, with what is under way on them."""
        gone = [stream for stream, local in self._open.items() if concerned(local)]
        self.lost += bool(gone)
        for stream in gone:
            self._open.pop(stream, None)
            await stream.aclose()

    async def _over_chosen(self, host: str, port: int) -> httpcore.AsyncNetworkStream | None:
        """A connection over the chosen interface; None if there is none to be chosen.

        Raises:
            httpcore.ConnectError: None came about.
        """
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )
            chosen = [(place, self._choose(place)) for *_, place in found]
            failure: OSError | None = None
            for place, interface in chosen:
                if interface is None:
                    continue
                try:
                    return _Stream(await connected_over(interface, place))
                except OSError as error:
                    failure = error
        except OSError as error:
            failure = error
        if failure is not None:
            raise httpcore.ConnectError(str(failure)) from failure
        return None


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that was begun over a chosen interface."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._local = connection.getsockname()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the port's
    ) -> Self:
        try:
            self._streams = await asyncio.open_connection(
                sock=self._socket, ssl=ssl_context, server_hostname=server_hostname
            )
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return self

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - each call has one as a whole
    ) -> bytes:
        reader, _ = await self._opened()
        try:
            return await reader.read(max_bytes)
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
    ) -> None:
        _, writer = await self._opened()
        try:
            writer.write(buffer)
            await writer.drain()
        except (OSError, RuntimeError) as error:
            # uvloop's transports raise the latter when they are closed.
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        if self._streams is None:
            self._socket.close()
        else:
            self._streams[1].transport.abort()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - the port's
        if info == "client_addr":
            return self._local
        if info == "is_readable":
            # Nobody has asked for anything, so what there is to be read is the end.
            return self._streams is not None and (
                self._streams[0].at_eof() or self._streams[1].transport.is_closing()
            )
        return None

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(sock=self._socket)
        return self._streams


class Transport(httpx.AsyncBaseTransport):
    """What a client of httpx sends through.

    Args:
        connections: Makes its connections.
        secure: How certificates are verified.
        most: How many connections at once.
        keep_alive: For how many seconds an idle one is kept.
    """

    def __init__(
        self,
        connections: Connections,
        secure: ssl.SSLContext | None,
        *,
        most: int,
        keep_alive: float,
    ) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=secure,
            max_connections=most,
            keepalive_expiry=keep_alive,
            network_backend=connections,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        response = await self._pool.handle_async_request(
            httpcore.Request(
                request.method,
                httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            response.status, headers=response.headers, stream=_Body(response.stream)
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - httpcore's has no public type
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
