"""The port of storage: bytes by upload, written at the committed offset."""

from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from typing import Protocol, runtime_checkable

from tusd_py.protocol.upload import Upload, UploadId
from tusd_py.streaming import Sink


class Writer(Sink, Protocol):
    """An open upload. Whoever gets one closes it, on every path."""

    async def truncate(self, offset: int) -> None:
        """Throw away what lies at and after ``offset``, and go on from there.

        Raises:
            StorageError: It failed.
        """
        ...

    async def sync(self) -> None:
        """Make what was written as durable as the storage was started to be.

        Raises:
            StorageError: It failed. Bytes after the last successful ``sync`` may be lost, and
                must not be acknowledged; syncing again proves nothing.
        """
        ...

    async def publish(self, last: Sequence[bytes] = ()) -> None:
        """Sync, move the upload to its ``path``, and close: nothing can be written any more.

        ``last`` is written before, so that a small file is one visit to the storage.
        Doing it again does no harm. An upload without a path stays where it is. One that was not
        recorded yet (its ``run`` is empty) has a path that nobody else can have; if the process
        ends before ``recorded``, ``reclaim`` finds it.

        Raises:
            StorageError: It failed, or another file is at the path.
        """
        ...

    def recorded(self) -> None:
        """Tell that an upload that was published before it was recorded is recorded now."""
        ...

    async def close(self) -> None:
        """Let go of the upload, also when the caller is being cancelled."""
        ...


Recorded = Callable[[Collection[str]], Awaitable[Collection[str]]]


class Storage(Protocol):
    """Files of bytes, one for each upload.

    An upload that has no bytes yet may have no file: it counts as empty. Callers hold the lock on
    an upload whenever they change it.
    """

    async def start(self, *, durable: bool) -> None:
        """Get ready.

        Args:
            durable: What was synced survives the loss of power, not only of the process.

        Raises:
            StorageError: The place cannot be used.
        """
        ...

    async def close(self) -> None:
        """Give back what ``start`` took."""
        ...

    def place(self, upload: Upload) -> str:
        """Choose the ``path`` of a new upload, relative and with slashes, or check the one it has.

        Raises:
            CallableFailed: 500, the application's choice leads out of the folder.
        """
        ...

    def writer(self, upload: Upload) -> Writer:
        """Open an upload to write at ``upload.offset``; the first call to the writer does the work.

        What is stored beyond the offset is thrown away then. Where fewer bytes are stored, that
        call raises ``StorageDamaged``.
        """
        ...

    async def size(self, upload: Upload) -> int:
        """How many bytes are stored.

        Raises:
            StorageError: It failed.
        """
        ...

    def read(
        self,
        upload: Upload,
        start: int = 0,
        count: int | None = None,
        most: Callable[[], int] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Read an upload in pieces of bounded size.

        Args:
            upload: As it is recorded.
            start: The first byte.
            count: How many bytes; None is all that follow.
            most: Asked before each piece how long it may be at most; None leaves it to the storage.

        Raises:
            StorageError: It failed.
        """
        ...

    async def delete(self, upload: Upload) -> None:
        """Remove the bytes, wherever they are; doing it again does no harm.

        Raises:
            StorageError: It failed.
        """
        ...

    def working(self) -> AsyncGenerator[Sequence[UploadId], None]:
        """List, in batches of bounded size, what lies where uploads are until they are published.

        That are unfinished uploads and those that are never published. What is written after the
        listing has begun may be left out.

        Raises:
            StorageError: It failed.
        """
        ...

    def published(self) -> AsyncGenerator[Sequence[str], None]:
        """List the paths of published uploads, in the same manner.

        Raises:
            StorageError: It failed.
        """
        ...

    async def reclaim(self, recorded: Recorded) -> int:
        """Remove what processes that have ended stored of uploads, but did not record.

        Args:
            recorded: Tells at which of some paths there is a recorded upload.

        Returns:
            How many uploads something was removed of.

        Raises:
            StorageError: It failed.
        """
        ...

    async def free(self) -> int | None:
        """How many bytes fit, if that can be told."""
        ...


@runtime_checkable
class Probing(Protocol):
    """A storage that can be asked whether it takes bytes now."""

    async def probe(self) -> None:
        """Store a byte and remove it; nothing is left of it, also if the process dies.

        Raises:
            StorageError: It could not be stored.
        """
        ...


@runtime_checkable
class Composing(Protocol):
    """A storage that builds an upload from others without sending their bytes through here."""

    async def compose(self, target: Upload, parts: Sequence[Upload]) -> int:
        """Make ``target`` the parts in order, not yet published, and return its size in bytes.

        The parts stay. Doing it again starts anew and gives the same. It takes its time and holds
        up nobody.

        Raises:
            StorageError: It failed; ``target`` may be partly there and can be composed again.
        """
        ...


class OpenFile(Protocol):
    """An upload's file, open to read. Whoever gets one closes it, on every path."""

    @property
    def path(self) -> str:
        """Where it was opened, an absolute path."""
        ...

    def fileno(self) -> int:
        """Give its descriptor, which is this file's until it is closed."""
        ...

    async def close(self) -> None:
        """Let go of the file, also when the caller is being cancelled; again without harm."""
        ...


@runtime_checkable
class FileBacked(Protocol):
    """A storage whose uploads are files of this machine, which the kernel itself can send."""

    async def open(self, upload: Upload) -> OpenFile | None:
        """Open a whole upload to read, at its start; None if it has no bytes, and no file.

        Raises:
            StorageError: It failed.
        """
        ...


@runtime_checkable
class Located(Protocol):
    """A storage that can say where the bytes of an upload are, to who may know."""

    def location(self, upload: Upload) -> Mapping[str, str]:
        """Name the kind of storage as ``Type``, and the place as that kind does; no I/O."""
        ...
