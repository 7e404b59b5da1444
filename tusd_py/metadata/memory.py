"""Metadata in memory: for tests, and the yardstick for the others."""

from collections.abc import Sequence

from tusd_py.errors import UploadExists, UploadNotFound
from tusd_py.protocol.upload import Kind, Upload, UploadId

from .base import Event


class MemoryMetadata:
    """Keeps everything in dictionaries; nothing survives the process."""

    def __init__(self) -> None:
        self._uploads: dict[UploadId, Upload] = {}
        self._events: dict[str, Event] = {}

    async def start(self, *, durable: bool) -> None:
        """Nothing to do: memory is never durable."""

    async def close(self) -> None:
        """Nothing to do."""

    async def create(self, upload: Upload, *, event: Event | None = None) -> None:
        paths = {other.path for other in self._uploads.values() if other.path is not None}
        if upload.id in self._uploads or upload.path in paths:
            raise UploadExists(upload.id)
        if upload.kind is Kind.FINAL and await self.same_final(upload):
            raise UploadExists(upload.id)
        self._uploads[upload.id] = upload
        if event is not None:
            self._events[event.id] = event

    async def get(self, upload_id: UploadId) -> Upload:
        try:
            return self._uploads[upload_id]
        except KeyError:
            raise UploadNotFound(upload_id) from None

    async def record(self, upload: Upload, *, event: Event | None = None) -> None:
        if upload.id not in self._uploads:
            raise UploadNotFound(upload.id)
        self._uploads[upload.id] = upload
        if event is not None:
            self._events[event.id] = event

    async def delete(self, upload_id: UploadId) -> None:
        self._uploads.pop(upload_id, None)
        self._events = {
            key: event for key, event in self._events.items() if event.upload_id != upload_id
        }

    async def page(
        self, *, subject: str | None = None, after: UploadId | None = None, limit: int = 100
    ) -> Sequence[Upload]:
        return [
            upload
            for key, upload in sorted(self._uploads.items())
            if subject in (None, upload.subject) and (after is None or key > after)
        ][:limit]

    async def at_path(self, path: str) -> Upload | None:
        return next((upload for upload in self._uploads.values() if upload.path == path), None)

    async def unfinished(
        self, *, after: UploadId | None = None, limit: int = 100
    ) -> Sequence[Upload]:
        return [
            upload
            for key, upload in sorted(self._uploads.items())
            if not upload.finished and (after is None or key > after)
        ][:limit]

    async def expired(self, now: float, limit: int) -> Sequence[Upload]:
        return [upload for upload in self._uploads.values() if upload.expired(now)][:limit]

    async def finals_of(self, part: UploadId) -> Sequence[Upload]:
        return [
            upload
            for upload in self._uploads.values()
            if upload.kind is Kind.FINAL and part in upload.parts and not upload.finished
        ]

    async def same_final(self, upload: Upload) -> Upload | None:
        wanted = (upload.kind, upload.parts, upload.metadata, upload.subject)
        for other in self._uploads.values():
            if (other.kind, other.parts, other.metadata, other.subject) == wanted:
                return other
        return None

    async def events(self, limit: int) -> Sequence[Event]:
        return list(self._events.values())[:limit]

    async def settle(self, event_id: str) -> None:
        self._events.pop(event_id, None)
