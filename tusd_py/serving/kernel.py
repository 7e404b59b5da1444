"""What the kernel holds of a connection, where it can be asked."""

import asyncio
import socket
import sys


def unread(transport: asyncio.Transport) -> int:
    """How many bytes have come and were not read."""
    if sys.platform == "win32" or transport.is_closing():
        return 0
    from termios import FIONREAD

    return _asked(transport, FIONREAD)


def unacknowledged(transport: asyncio.Transport) -> int:
    """How many bytes were sent and not taken by the client's machine."""
    if sys.platform == "win32":
        return 0
    from termios import TIOCOUTQ

    try:
        return _asked(transport, TIOCOUTQ)
    except OSError:
        # Not every system tells. Then only what is taken from this process counts.
        return 0


def room(transport: asyncio.Transport) -> int:
    """How many bytes the kernel surely takes to send."""
    connection = transport.get_extra_info("socket")
    if connection is None or transport.is_closing():
        return 0
    # Half of it is for what the kernel itself needs to keep bytes.
    size: int = connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 2
    return max(0, size - unacknowledged(transport))


def _asked(transport: asyncio.Transport, what: int) -> int:
    connection = transport.get_extra_info("socket")
    if connection is None:
        return 0
    from fcntl import ioctl

    return int.from_bytes(ioctl(connection.fileno(), what, bytes(4)), sys.byteorder)
