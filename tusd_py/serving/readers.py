"""Clients that do not read what they asked for."""

import asyncio
import math
from typing import Protocol

from . import kernel


class WaitingFile(Protocol):
    """What waits in a file and not in the transport.

    Attributes:
        idle: Nothing is done but to wait for the client.
    """

    idle: bool

    @property
    def left(self) -> int:
        """How many bytes were not given to the kernel yet."""
        ...


class Reader:
    """Cuts the connection of a client that takes nothing of its answers for too long.

    A client that is alive may refuse to read for ever, and nothing else would end that.

    Args:
        transport: The connection.
        loop: Its event loop.

    Attributes:
        file: What is being sent past the transport; None if nothing is.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._seconds = math.inf
        self._unread: float = math.inf
        self._file: WaitingFile | None = None

    @property
    def file(self) -> WaitingFile | None:
        return self._file

    @file.setter
    def file(self, file: WaitingFile | None) -> None:
        self._file = file
        self.progressed()

    def watch(self, seconds: float) -> None:
        """Look every so many seconds, as long as anything waits to be sent.

        What is watched already is looked at more often, if ``seconds`` is less than before.
        """
        if self._timer is not None and seconds >= self._seconds:
            return
        self.stop()
        if self._waiting():
            self._seconds = seconds
            self._unread = self._count()
            self._timer = self._loop.call_later(seconds, self._look)

    def progressed(self) -> None:
        """The client has read, and may get more to read than it had before."""
        self._unread = math.inf

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        unread = self._count()
        if not self._waiting():
            # The rest is with the kernel, which outlives the connection.
            return
        # What the client waits for is not its fault: a thread, or the disk.
        at_work = self._file is not None and not self._file.idle
        if unread >= self._unread and not at_work:
            self._transport.abort()
            return
        self._unread = unread
        self._timer = self._loop.call_later(self._seconds, self._look)

    def _count(self) -> int:
        """How many bytes wait here, or in the kernel, for the client to take them."""
        return self._waiting() + kernel.unacknowledged(self._transport)

    def _waiting(self) -> int:
        in_file = self._file.left if self._file is not None else 0
        return in_file + self._transport.get_write_buffer_size()
