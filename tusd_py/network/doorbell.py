"""Linux tells at once that some interface or address has changed."""

import errno
import os
import socket
import sys
from typing import Final

# From linux/rtnetlink.h: links, and addresses of both IP versions.
_GROUPS: Final = 0x1 | 0x10 | 0x100
_PIECE: Final = 65536
# More than so many messages at once are left for the next turn of the event loop.
_MOST: Final = 64


class Doorbell:
    """A netlink socket that rings at every change.

    What the messages say is not read: whoever hears the bell looks at the interfaces, so that
    there is one source of what is so, and a message that got lost costs nothing but time.

    Raises:
        OSError: The system has no such thing, or does not let this process.
    """

    def __init__(self) -> None:
        # mypy checks for one system at a time.
        if sys.platform != "linux":
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
        try:
            self._socket.bind((0, _GROUPS))
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """The descriptor to watch until it can be read."""
        return self._socket.fileno()

    def rang(self) -> bool:
        """Take what has arrived, without waiting; tells whether there was anything."""
        for taken in range(_MOST):
            try:
                self._socket.recv(_PIECE)
            except BlockingIOError:
                return taken > 0
            except OSError as error:
                # There were more messages than the kernel keeps: that is a ring too.
                if error.errno != errno.ENOBUFS:
                    raise
        return True

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def __del__(self) -> None:
        """Go with an event loop that ended without a word."""
        if hasattr(self, "_socket"):
            self.close()
