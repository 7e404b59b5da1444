"""What is left of a part of a file, for who sends it."""

import errno
import os

from tusd_py.streaming.inlet import CANNOT_SPLICE

# What the network does; what files fail with is something else.
_NETWORK = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.ENOTCONN)


class FileTooShort(Exception):
    """A file has fewer bytes than were announced of it."""


class Outlet:
    """A part of a file on its way to a client. Its methods are for worker threads.

    What the network does is not raised: an end is an end.

    Args:
        file: The file's descriptor.
        offset: Where the part begins.
        left: How many bytes it has.

    Attributes:
        left: How many of them were not sent.
        full: At the last attempt the socket took nothing.
        ended: The client has gone, and nothing can be sent.
        unsendable: The system cannot send this file by itself; ``read`` it.
    """

    def __init__(self, file: int, offset: int, left: int) -> None:
        self.left = left
        self.full = False
        self.ended = False
        self.unsendable = False
        self._file = file
        self._offset = offset

    def send(self, socket: int, size: int) -> int:
        """Have the kernel send up to ``size`` bytes; gives how many, none if it is ``full``.

        Raises:
            FileTooShort: The file ends here, and the part does not.
            OSError: The file cannot be read.
        """
        self.full = False
        try:
            sent = os.sendfile(socket, self._file, self._offset, min(size, self.left))
        except BlockingIOError:
            self.full = True
            return 0
        except OSError as error:
            if error.errno in CANNOT_SPLICE:
                self.unsendable = True
            elif isinstance(error, ConnectionError | TimeoutError) or error.errno in _NETWORK:
                self.ended = True
            else:
                raise
            return 0
        self._count_off(sent)
        return sent

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes, for who sends them in another way.

        Raises:
            FileTooShort: The file ends here, and the part does not.
            OSError: The file cannot be read.
        """
        data = os.pread(self._file, min(size, self.left), self._offset)
        self._count_off(len(data))
        return data

    def _count_off(self, size: int) -> None:
        if not size:
            raise FileTooShort(f"The file ends {self.left} bytes too early.")
        self._offset += size
        self.left -= size
