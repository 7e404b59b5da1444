"""Parts of files, sent by the kernel itself: ASGI's extension ``http.response.zerocopysend``."""

import asyncio
import os
import select
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tusd_py.streaming.base import Moved
from tusd_py.streaming.buffers import BufferSize
from tusd_py.streaming.pieces import Pieces
from tusd_py.streaming.turn import take_turn
from tusd_py.threads import WorkerThreads

from .outlet import Outlet


class Sending:
    """A part of a file on its way to a client, past the transport that owns the connection.

    For as long as the socket takes bytes, a thread has the kernel send them; while it doesn't, the
    event loop waits for the client.

    Args:
        outlet: The part.
        duplicate: The connection. The transport must have nothing to send meanwhile.
        threads: Where it is sent.
        sent: Counts what was sent.
        size: Of one step.

    Attributes:
        idle: Nothing is done but to wait for the client.
    """

    def __init__(
        self,
        outlet: Outlet,
        duplicate: socket.socket,
        threads: WorkerThreads,
        sent: Moved,
        size: BufferSize,
    ) -> None:
        self.idle = False
        self._sent = sent
        self._size = size
        self._outlet = outlet
        self._fd = duplicate.fileno()
        self._threads = threads
        self._lost = False
        self._wake: Callable[[], None] | None = None

    @property
    def left(self) -> int:
        """How many bytes were not sent."""
        return self._outlet.left

    async def run(self) -> None:
        """Send until nothing is left, or nothing can be sent in this way.

        Raises:
            FileTooShort: The file ends before the part does.
            StorageError: The file cannot be read.
        """
        self._size.begin()
        while not self._over:
            before = self.left
            await self._threads.run(take_turn, self._step, self._threads, self._fd, select.POLLOUT)
            self._sent(before - self.left)
            self._size.moved(before - self.left)
            if self._outlet.full and not self._over:
                await self._wait()

    def lose(self) -> None:
        """The connection has ended on our side: send no more."""
        self._lost = True
        if self._wake is not None:
            self._wake()

    @property
    def _over(self) -> bool:
        outlet = self._outlet
        return self._lost or outlet.ended or outlet.unsendable or not outlet.left

    def _step(self) -> int | None:
        return None if self._over else self._outlet.send(self._fd, self._size.bytes)

    async def _wait(self) -> None:
        """Wait until the socket takes bytes again, or the connection is lost."""
        loop = asyncio.get_running_loop()
        taken = loop.create_future()

        def wake() -> None:
            if not taken.done():
                taken.set_result(None)

        self.idle, self._wake = True, wake
        loop.add_writer(self._fd, wake)
        try:
            await taken
        finally:
            loop.remove_writer(self._fd)
            self.idle, self._wake = False, None


async def send_part(
    cycle: RequestResponseCycle,
    message: Mapping[str, Any],
    threads: WorkerThreads,
    send_past: Callable[[RequestResponseCycle, Outlet, Moved, BufferSize], Awaitable[None]],
    sent: Moved,
    pieces: Pieces,
) -> None:
    """Send the part of a file that a message names; the response does not end with it.

    Args:
        cycle: A response that has begun.
        message: One of ``http.response.zerocopysend``.
        threads: Where files are read.
        send_past: Sends what it can past the transport.
        sent: Counts what was sent.
        pieces: How the rest is read.

    Raises:
        RuntimeError: The response would be longer than its ``Content-Length``.
        FileTooShort: The file is shorter than the part.
        StorageError: The file cannot be read.
    """
    outlet = await _outlet(message, threads)
    if not cycle.chunked_encoding:
        announced = cycle.expected_content_length
        if outlet.left > announced:
            raise RuntimeError("Response content longer than Content-Length")
        before = outlet.left
        await send_past(cycle, outlet, sent, pieces.size)
        cycle.expected_content_length = announced - (before - outlet.left)
    while outlet.left and not cycle.disconnected:
        piece = await threads.run(outlet.read, pieces.next_size())
        with pieces.held(len(piece)):
            await cycle.send({"type": "http.response.body", "body": piece, "more_body": True})
            await flushed(cycle.transport, cycle.flow)
        sent(len(piece))


async def _outlet(message: Mapping[str, Any], threads: WorkerThreads) -> Outlet:
    file, offset, count = message["file"].fileno(), message.get("offset"), message.get("count")
    if offset is not None and count is not None:
        return Outlet(file, offset, count)
    return Outlet(file, *await threads.run(_extent, file, offset, count))


def _extent(file: int, offset: int | None, count: int | None) -> tuple[int, int]:
    """Where a part begins and how long it is, if that is left to the file."""
    if offset is None:
        offset = os.lseek(file, 0, os.SEEK_CUR)
    if count is None:
        count = max(0, os.fstat(file).st_size - offset)
    return offset, count


async def flushed(transport: asyncio.Transport, flow: FlowControl) -> None:
    """Wait until a transport has given the kernel all that it was to send."""
    if transport.is_closing() or not transport.get_write_buffer_size():
        return
    transport.set_write_buffer_limits(high=0)
    try:
        await flow.drain()
    finally:
        if not transport.is_closing():
            transport.set_write_buffer_limits()
