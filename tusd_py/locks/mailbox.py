"""Short messages between the processes of one folder."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SUFFIX = ".fifo"
# The last name of one whose process died: until somebody asks, it tells of that.
_DEAD = ".dead"
# What the kernel writes into a pipe in one piece.
_LONGEST = 512
_READ = 64 * 1024


class Mailbox:
    """A pipe with a name, from which this process reads, and into which the others write.

    Messages are hints: one that does not arrive costs time and nothing else. Nobody ever waits.

    Args:
        folder: Where all of them lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = f"{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
        # It gets its name once it is read from: without a reader it would be taken for a dead one.
        unnamed = folder / f"{self.name}.new"
        os.mkfifo(unnamed, 0o600)
        # Open for writing too, so that it has no end.
        self.fd = os.open(unnamed, os.O_RDWR | os.O_NONBLOCK)
        unnamed.rename(folder / self.name)
        self._rest = b""

    def close(self) -> None:
        """Take no more messages."""
        os.close(self.fd)
        with suppress(OSError):
            (self._folder / self.name).unlink()

    def read(self) -> list[str]:
        """What has arrived."""
        try:
            data = self._rest + os.read(self.fd, _READ)
        except BlockingIOError:
            return []
        *lines, self._rest = data.split(b"\n")
        return [line.decode("ascii", "replace") for line in lines]

    def send(self, name: str, message: str) -> None:
        """Send to one process; one that is gone gets no more."""
        line = f"{message}\n".encode("ascii", "replace")
        with _open(self._folder / name) as fd:
            if fd is not None and len(line) <= _LONGEST:
                # A pipe that is full belongs to a process that reads nothing any more.
                with suppress(OSError):
                    os.write(fd, line)

    def send_all(self, message: str) -> None:
        """Send to every other process."""
        for other in self._others():
            self.send(other.name, message)

    def forget_dead(self) -> bool:
        """Forget the processes that ended without closing; tells whether there were any."""
        for other in self._others():
            with _open(other):
                pass
        removed = [_removed(dead) for dead in self._folder.glob(f"*{_DEAD}")]
        return any(removed)

    def _others(self) -> list[Path]:
        return [path for path in self._folder.glob(f"*{_SUFFIX}") if path.name != self.name]


@contextmanager
def _open(path: Path) -> Iterator[int | None]:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:
            # Nobody has it open to read, and nobody will: each process makes its own.
            with suppress(OSError):
                path.rename(path.with_suffix(_DEAD))
        yield None
        return
    try:
        yield fd
    finally:
        os.close(fd)


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
