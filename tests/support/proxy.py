"""A TCP proxy that cuts connections, and knows how far each one got."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import random
import socket
import struct
import termios
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

HOST = "127.0.0.1"
READ_SIZE = 64 * 1024
THREAD_TIMEOUT = 10.0
DRAIN_TIMEOUT = 10.0
# A slow connection carries this many seconds' worth of bytes at a time.
SLOW_STEP = 0.02
SETTLE_POLLS = 100
SETTLE_INTERVAL = 0.001

# Linger on, for zero seconds: close() throws away what is unsent and sends a RST.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Ending(Enum):
    """How a connection is cut."""

    RESET = "RST"
    FINISH = "FIN"
    VANISH = "nothing"
    """A black hole: nothing gets through any more, and the server never hears of an end."""


CUTS = (Ending.RESET, Ending.FINISH)
"""The endings that the server hears of."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How many bytes of a cut connection went from the client towards the server."""

    ending: Ending
    taken: int
    """Read from the client."""
    accepted: int
    """Taken by this machine's kernel for the server."""
    delivered: int
    """Received by the server's kernel for certain: with a RST the rest is thrown away."""


class _CutHere(Exception):
    """The connection reached the length at which it is to be cut."""


class CuttingProxy:
    """A proxy in a thread of its own which cuts some of the connections it carries.

    `lengths` says after how many bytes from the client to cut, one length for each cut. A
    length stays at the head of the queue until a connection gets that far, so requests
    without a body pass. When all lengths are used up, everything passes. `rate` is how many
    bytes a second a connection carries from the client, if it is slow.
    """

    def __init__(
        self,
        server_url: str,
        lengths: Sequence[int] = (),
        *,
        seed: int = 0,
        endings: Sequence[Ending] = CUTS,
        rate: int | None = None,
    ) -> None:
        self.cuts: list[Cut] = []
        self._server_url = urlsplit(server_url)
        self._lengths = list(lengths)
        self._endings = endings
        self._rate = rate
        self._random = random.Random(seed)  # noqa: S311 - a test must be repeatable
        self._links: set[asyncio.Task[None]] = set()
        self._listener = socket.create_server((HOST, 0))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="cutting-proxy", daemon=True)

    @property
    def url(self) -> str:
        """The server's URL with this proxy's port."""
        return urlunsplit(self._server_url._replace(netloc=f"{HOST}:{self.port}"))

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def start(self) -> Self:
        self._listener.setblocking(False)
        self._thread.start()
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._cancel_everything)
        self._thread.join(THREAD_TIMEOUT)
        self._listener.close()

    def break_all(self) -> None:
        """Reset the connections that there are; new ones pass."""
        self._loop.call_soon_threadsafe(self._break_links)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError), contextlib.closing(self._loop):
            self._loop.run_until_complete(self._accept())

    def _break_links(self) -> None:
        for link in self._links:
            link.cancel()

    def _cancel_everything(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    async def _accept(self) -> None:
        try:
            while True:
                client, _ = await self._loop.sock_accept(self._listener)
                link = self._loop.create_task(self._carry(client))
                self._links.add(link)
                link.add_done_callback(self._links.discard)
        finally:
            await asyncio.gather(*self._links, return_exceptions=True)

    async def _carry(self, client: socket.socket) -> None:
        """Carry one connection until both sides have ended it, or until it is cut."""
        client.setblocking(False)
        with client, socket.socket() as server:
            server.setblocking(False)
            link = _Link(
                self._loop, client, server, self._next_length(), self._claim_cut, self._rate
            )
            try:
                await link.run(self._server_address())
            except* asyncio.CancelledError:
                reset(client, server)
            except* _CutHere:
                await self._cut(link)
            except* OSError:
                # One side reset the connection; the other one is to see that, too.
                reset(client, server)

    def _server_address(self) -> tuple[str, int]:
        return self._server_url.hostname or HOST, self._server_url.port or 80

    def _next_length(self) -> int | None:
        return self._lengths[0] if self._lengths else None

    def _claim_cut(self) -> bool:
        # Parallel connections wait for the same length: there is one cut for each length.
        if not self._lengths:
            return False
        self._lengths.pop(0)
        return True

    async def _cut(self, link: _Link) -> None:
        ending = self._random.choice(self._endings)
        # After a FIN the kernel goes on to deliver all that it accepted.
        lost = await link.settle() if ending is Ending.RESET else 0
        # First the record, then the cut: who notices the cut finds it here.
        self.cuts.append(Cut(ending, link.taken, link.accepted, link.accepted - lost))
        if ending is Ending.VANISH:
            await link.vanish()
        elif ending is Ending.RESET:
            reset(link.server, link.client)
        else:
            await link.finish()


class _Link:
    """One connection through the proxy, and the count of its bytes."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client: socket.socket,
        server: socket.socket,
        length: int | None,
        claim_cut: Callable[[], bool],
        rate: int | None,
    ) -> None:
        self.client = client
        self.server = server
        self.taken = 0
        self.accepted = 0
        self._loop = loop
        self._length = length
        self._claim_cut = claim_cut
        self._rate = rate

    async def run(self, address: tuple[str, int]) -> None:
        await self._loop.sock_connect(self.server, address)
        async with asyncio.TaskGroup() as both_ways:
            both_ways.create_task(self._requests())
            both_ways.create_task(self._responses())

    async def settle(self) -> int:
        """Wait for acknowledgements on their way; return how many bytes still have none.

        They lag behind what the server's kernel has: without this wait nobody could tell
        bytes that got lost from bytes that had arrived.
        """
        for _ in range(SETTLE_POLLS):
            if not unacknowledged(self.server):
                break
            await asyncio.sleep(SETTLE_INTERVAL)
        return unacknowledged(self.server)

    async def finish(self) -> None:
        """Send a FIN to both sides, and let the server read all that came before it."""
        with contextlib.suppress(OSError, TimeoutError):
            self.server.shutdown(socket.SHUT_WR)
            self.client.close()
            async with asyncio.timeout(DRAIN_TIMEOUT):
                while await self._loop.sock_recv(self.server, READ_SIZE):
                    pass

    async def vanish(self) -> None:
        """Swallow what still comes, and leave the server's side as it is."""
        with contextlib.suppress(OSError):
            while await self._loop.sock_recv(self.client, READ_SIZE):
                pass
        self.client.close()
        await asyncio.Event().wait()

    async def _requests(self) -> None:
        size = READ_SIZE if self._rate is None else max(1, int(self._rate * SLOW_STEP))
        while data := await self._loop.sock_recv(self.client, size):
            self.taken += len(data)
            await self._forward(data)
            if self._rate is not None:
                await asyncio.sleep(len(data) / self._rate)
        self.server.shutdown(socket.SHUT_WR)

    async def _forward(self, data: bytes) -> None:
        if self._length is not None and self.accepted + len(data) >= self._length:
            if self._claim_cut():
                await self._send(data[: self._length - self.accepted])
                raise _CutHere
            self._length = None
        await self._send(data)

    async def _send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self.server, data)
        self.accepted += len(data)

    async def _responses(self) -> None:
        while data := await self._loop.sock_recv(self.server, READ_SIZE):
            await self._loop.sock_sendall(self.client, data)
        self.client.shutdown(socket.SHUT_WR)


def reset(*connections: socket.socket) -> None:
    for connection in connections:
        if connection.fileno() >= 0:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            connection.close()


def unacknowledged(connection: socket.socket) -> int:
    """How many sent bytes the other side's kernel has not confirmed (SIOCOUTQ)."""
    answer = fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4)
    return int.from_bytes(answer, "little")
