"""The port of metadata: the facts about uploads, and the events that have to be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tusd_py.protocol.upload import Upload, UploadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The end of an upload that the application has to hear of, at least once.

    Attributes:
        id: Names this event, for the application to tell repetitions.
        upload_id: The upload that is finished.
    """

    id: str
    upload_id: UploadId


class Metadata(Protocol):
    """Facts by upload. What a method has done is committed when it returns.

    Callers hold the lock on an upload whenever they change it. Every method raises
    ``MetadataUnavailable`` when the store does not answer for the moment, ``StorageFull`` when it
    has no room left, and ``MetadataError`` when it fails; then nothing was changed.
    """

    async def start(self, *, durable: bool) -> None:
        """Get ready.

        Args:
            durable: What was committed survives the loss of power, not only of the process.

        Raises:
            SchemaTooNew: A newer version of the program wrote it.
        """
        ...

    async def close(self) -> None:
        """Give back what ``start`` took, after what is under way."""
        ...

    async def create(self, upload: Upload, *, event: Event | None = None) -> None:
        """Add an upload, and the event in the same transaction.

        Raises:
            UploadExists: Its id or its path is taken, or it is a final upload and there is one
                with the same parts, metadata and subject.
        """
        ...

    async def get(self, upload_id: UploadId) -> Upload:
        """Look an upload up.

        Raises:
            UploadNotFound: There is none.
        """
        ...

    async def record(self, upload: Upload, *, event: Event | None = None) -> None:
        """Change the facts about an upload, and add the event in the same transaction.

        Those that change are its length, offset, expiry, end, run and whether it is verifying.

        Raises:
            UploadNotFound: There is none any more.
        """
        ...

    async def delete(self, upload_id: UploadId) -> None:
        """Remove an upload and its events; no harm if there is none."""
        ...

    async def page(
        self, *, subject: str | None = None, after: UploadId | None = None, limit: int = 100
    ) -> Sequence[Upload]:
        """List uploads in the order of their ids.

        Args:
            subject: Only those of this subject.
            after: Only those whose id comes after this one, to page on.
            limit: At most so many.
        """
        ...

    async def at_path(self, path: str) -> Upload | None:
        """Find the upload, finished or not, whose path this is."""
        ...

    async def unfinished(
        self, *, after: UploadId | None = None, limit: int = 100
    ) -> Sequence[Upload]:
        """List uploads whose end is not recorded, in the order of their ids.

        Args:
            after: Only those whose id comes after this one, to page on.
            limit: At most so many.
        """
        ...

    async def expired(self, now: float, limit: int) -> Sequence[Upload]:
        """List at most ``limit`` uploads for which ``Upload.expired(now)`` holds."""
        ...

    async def finals_of(self, part: UploadId) -> Sequence[Upload]:
        """List the unfinished final uploads that need this partial one."""
        ...

    async def same_final(self, upload: Upload) -> Upload | None:
        """Find a final upload with the same parts, metadata and subject."""
        ...

    async def events(self, limit: int) -> Sequence[Event]:
        """List at most ``limit`` events that were not settled, oldest first."""
        ...

    async def settle(self, event_id: str) -> None:
        """Forget an event: the application has heard of it."""
        ...
