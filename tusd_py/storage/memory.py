"""Storage in memory: for tests, and the yardstick for the others."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from tusd_py.errors import StorageDamaged, StorageError
from tusd_py.protocol.upload import Upload, UploadId

from .base import Recorded
from .layout import checked

_PIECE = 64 * 1024


class MemoryStorage:
    """Keeps everything in dictionaries; nothing survives the process."""

    def __init__(self) -> None:
        self.files: dict[UploadId, bytearray] = {}
        self.paths: dict[str, UploadId] = {}
        self.unrecorded: set[UploadId] = set()
        self._left: set[str] = set()

    async def start(self, *, durable: bool) -> None:  # noqa: ARG002 - memory is never durable
        # Another life begins.
        self._left = {path for path, own in self.paths.items() if own in self.unrecorded}

    async def close(self) -> None:
        """Nothing to do."""

    def place(self, upload: Upload) -> str:
        return checked(upload.id if upload.path is None else upload.path)

    def writer(self, upload: Upload) -> "_MemoryWriter":
        return _MemoryWriter(self, upload)

    async def size(self, upload: Upload) -> int:
        return len(self.files.get(upload.id, b""))

    async def read(
        self,
        upload: Upload,
        start: int = 0,
        count: int | None = None,
        most: Callable[[], int] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        data = self.files.get(upload.id, bytearray())
        end = len(data) if count is None else min(len(data), start + count)
        while start < end:
            following = min(end, start + (most() if most is not None else _PIECE))
            yield bytes(data[start:following])
            start = following

    def location(self, upload: Upload) -> Mapping[str, str]:  # noqa: ARG002 - the port's form
        return {"Type": "memorystore"}

    async def delete(self, upload: Upload) -> None:
        self.files.pop(upload.id, None)
        self.unrecorded.discard(upload.id)
        if upload.path is not None and self.paths.get(upload.path) == upload.id:
            del self.paths[upload.path]

    async def working(self) -> AsyncGenerator[Sequence[UploadId], None]:
        there = set(self.paths.values())
        yield [upload_id for upload_id in self.files if upload_id not in there]

    async def published(self) -> AsyncGenerator[Sequence[str], None]:
        yield [*self.paths]

    async def reclaim(self, recorded: Recorded) -> int:
        left, self._left = self._left, set()
        gone = left - set(await recorded(left))
        for path in gone:
            self.files.pop(self.paths.pop(path))
        return len(gone)

    async def free(self) -> int | None:
        return None

    async def compose(self, target: Upload, parts: Sequence[Upload]) -> int:
        data = bytearray().join(self.files.get(part.id, bytearray()) for part in parts)
        self.files[target.id] = data
        return len(data)


class _MemoryWriter:
    def __init__(self, storage: MemoryStorage, upload: Upload) -> None:
        self._storage = storage
        self._upload = upload
        self._file: bytearray | None = None
        self.offset = upload.offset

    async def write(self, batch: Sequence[bytes]) -> None:
        file = self._open()
        for chunk in batch:
            file += chunk
            self.offset += len(chunk)

    async def truncate(self, offset: int) -> None:
        del self._open()[offset:]
        self.offset = offset

    async def sync(self) -> None:
        """Nothing to do."""

    async def publish(self, last: Sequence[bytes] = ()) -> None:
        await self.write(last)
        path, own = self._upload.path, self._upload.id
        if path is None:
            return
        if self._storage.paths.setdefault(path, own) != own:
            raise StorageError
        if not self._upload.run:
            self._storage.unrecorded.add(own)

    def recorded(self) -> None:
        self._storage.unrecorded.discard(self._upload.id)

    async def close(self) -> None:
        """Nothing to do."""

    def _open(self) -> bytearray:
        if self._file is None:
            file = self._storage.files.setdefault(self._upload.id, bytearray())
            if len(file) < self._upload.offset:
                raise StorageDamaged(
                    self._upload.id, recorded=self._upload.offset, stored=len(file)
                )
            del file[self._upload.offset :]
            self._file = file
        return self._file
