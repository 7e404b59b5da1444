"""Clients that do not read what they asked for."""

import asyncio
import math
import sys


class Reader:
    """Cuts the connection of a client that takes nothing of its answers for too long.

    A client that is alive may refuse to read for ever, and nothing else would end that.

    Args:
        transport: The connection.
        loop: Its event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._seconds = math.inf
        self._unread: float = math.inf

    def watch(self, seconds: float) -> None:
        """Look every so many seconds, as long as anything waits to be sent.

        What is watched already is looked at more often, if ``seconds`` is less than before.
        """
        if self._timer is not None and seconds >= self._seconds:
            return
        self.stop()
        if self._transport.get_write_buffer_size():
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
        if not self._transport.get_write_buffer_size():
            # The rest is with the kernel, which outlives the connection.
            return
        if unread >= self._unread:
            self._transport.abort()
            return
        self._unread = unread
        self._timer = self._loop.call_later(self._seconds, self._look)

    def _count(self) -> int:
        """How many bytes wait here, or in the kernel, for the client to take them."""
        return self._transport.get_write_buffer_size() + _unacknowledged(self._transport)


def _unacknowledged(transport: asyncio.Transport) -> int:
    connection = transport.get_extra_info("socket")
    if connection is None or sys.platform == "win32":
        return 0
    from fcntl import ioctl
    from termios import TIOCOUTQ

    try:
        answer = ioctl(connection.fileno(), TIOCOUTQ, bytes(4))
    except OSError:
        # Not every system tells. Then only what is taken from this process counts.
        return 0
    return int.from_bytes(answer, sys.byteorder)
