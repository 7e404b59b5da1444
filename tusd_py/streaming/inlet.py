"""What is left of a body in a socket, for who takes it from there."""

import errno
import os

# What systems answer that cannot splice between such files.
CANNOT_SPLICE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


class Inlet:
    """The rest of a body in a socket that never blocks.

    Nothing is read beyond the body: the next request may follow it. What the network does is not
    raised: an end is an end.

    Args:
        fd: The socket's descriptor.
        left: How many bytes of the body have not been read.

    Attributes:
        left: The same, as reading goes on.
        dry: At the last attempt there was nothing to read.
        ended: The client has gone, and nothing will come.
    """

    def __init__(self, fd: int, left: int) -> None:
        self.fd = fd
        self.left = left
        self.dry = False
        self.ended = False

    def read(self, size: int) -> bytes:
        """Read what has come, up to ``size`` bytes; none if it is ``dry`` or ``ended``."""
        self.dry = False
        try:
            data = os.read(self.fd, min(size, self.left))
        except BlockingIOError:
            self.dry = True
            return b""
        except OSError:
            data = b""
        self.ended = not data
        self.left -= len(data)
        return data

    def splice(self, pipe: int, size: int) -> int:
        """Move what has come, up to ``size`` bytes, into an empty pipe; gives how many.

        Raises:
            OSError: With one of ``CANNOT_SPLICE``; nothing was moved.
        """
        self.dry = False
        try:
            moved = os.splice(self.fd, pipe, min(size, self.left), flags=os.SPLICE_F_NONBLOCK)
        except BlockingIOError:
            self.dry = True
            return 0
        except OSError as error:
            if error.errno in CANNOT_SPLICE:
                raise
            moved = 0
        self.ended = moved == 0
        self.left -= moved
        return moved
