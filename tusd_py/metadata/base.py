"""The port of metadata: the facts about uploads, and the events that have to be told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from tusd_py.errors import QuotaExceeded, SubjectBusy
from tusd_py.protocol.upload import Upload, UploadId

from .clients import ClientStore


class Receiver(StrEnum):
    """Who has to hear of an event."""

    CALLABLES = "callables"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that somebody has to hear of, at least once.

    Attributes:
        id: Names this event, for its receiver to tell repetitions.
        upload_id: The upload that it is about.
        receiver: Who has to hear of it.
        name: The callable or the hook that is to be called.
        payload: What a webhook is sent. It says all that there is to say; what has none is about an
            upload that still exists.
        created_at: Unix time in seconds when it happened.
        due_at: Unix time in seconds before which it is not told again.
        attempts: How often it was told in vain.
        error: What became of the last attempt.
        dead: It was told in vain too often, and waits for somebody to look at it.
        number: Its place among all events, which the store gives it; 0 before that.
    """

    id: str
    upload_id: UploadId
    receiver: Receiver = Receiver.CALLABLES
    name: str = "on_finish"
    payload: str | None = field(default=None, repr=False)
    created_at: float = 0.0
    due_at: float = 0.0
    attempts: int = 0
    error: str | None = None
    dead: bool = False
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The events that were not settled.

    Attributes:
        waiting: How many are to be told.
        dead: How many were told in vain too often.
        oldest: Unix time in seconds when the oldest of those that are to be told happened.
    """

    waiting: int
    dead: int
    oldest: float | None


class Use(NamedTuple):
    """One creation out of those that a grant admits; recorded with the upload.

    Attributes:
        grant: The id of the grant.
        request: Tells one creation from another, so that a repeated one is known as such.
        expires_at: Unix time in seconds when the grant holds no more, and the use can be forgotten.
        part: The creation is that of a partial upload; these are counted apart.
        most: How many creations of this kind the grant admits.
        size: How many bytes this one may take, of those that are counted.
        most_size: How many those of this kind may take together.
        key_id: The key that signed the grant; it is not recorded here.
    """

    grant: str
    request: str
    expires_at: float
    part: bool = False
    most: int = 1
    size: int = 0
    most_size: int = 2**63 - 1
    key_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What one subject may have; None is no limit.

    Attributes:
        size: Bytes of all its uploads that have not expired: their lengths, or while those are open
            the most that they may have, or what they have.
        unfinished: Uploads whose end is not recorded.
        recent: Creations after ``since``, whatever became of the uploads.
        since: Unix time in seconds.
        now: Unix time in seconds.
    """

    size: int | None = None
    unfinished: int | None = None
    recent: int | None = None
    since: float = 0.0
    now: float = 0.0

    def check(self, size: float, unfinished: int, recent: int) -> None:
        """Let through what a subject has.

        Raises:
            QuotaExceeded: It is too many bytes.
            SubjectBusy: It is too many uploads.
        """
        if self.unfinished is not None and unfinished > self.unfinished:
            raise SubjectBusy(unfinished=True)
        if self.recent is not None and recent > self.recent:
            raise SubjectBusy(unfinished=False)
        if self.size is not None and size > self.size:
            raise QuotaExceeded(self.size)


class Metadata(Protocol):
    """Facts by upload. What a method has done is committed when it returns.

    Callers hold the lock on an upload whenever they change it. Every method raises
    ``MetadataUnavailable`` when the store does not answer for the moment, ``StorageFull`` when it
    has no room left, and ``MetadataError`` when it fails; then nothing was changed.
    """

    @property
    def clients(self) -> ClientStore:
        """What is known of clients."""
        ...

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

    async def create(
        self,
        upload: Upload,
        *,
        events: Sequence[Event] = (),
        use: Use | None = None,
        quota: Quota | None = None,
    ) -> None:
        """Add an upload, and in the same transaction events and the use of a grant.

        Raises:
            OverLimit: With it, its subject would have more than the quota.
            GrantUsed: There have been as many uses of the grant as it admits; see ``check_use``.
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

    async def record(self, upload: Upload, *, events: Sequence[Event] = ()) -> None:
        """Change the facts about an upload, and add events in the same transaction.

        Those that change are its length, offset, expiry, end, run and whether it is verifying. It
        may become one that is not fresh, and never a fresh one again.

        Raises:
            UploadNotFound: There is none any more.
        """
        ...

    async def touch(self, upload_id: UploadId) -> None:
        """Let an upload be fresh no more. Nobody needs a lock for that."""
        ...

    async def delete(
        self, upload_id: UploadId, *, events: Sequence[Event] = (), use: Use | None = None
    ) -> None:
        """Remove an upload, and the events for callables; no harm if there is none.

        Args:
            upload_id: Which upload.
            events: Added in the same transaction, if there was one.
            use: The use of a grant that made it, if that shall not count.
        """
        ...

    async def check_use(self, use: Use) -> None:
        """Let a use through that the grant admits besides those that were recorded.

        Raises:
            GrantUsed: It admits no more. ``upload_id`` is the last upload that the same request
                made, unless it is a partial one.
        """
        ...

    async def check_quota(self, subject: str, quota: Quota) -> None:
        """Let a subject through that has no more than its quota.

        Raises:
            OverLimit: It has more.
        """
        ...

    async def forget_uses(self, now: float) -> None:
        """Remove the uses of grants that hold no more, and creations too old for any quota."""
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

    async def tell(self, events: Sequence[Event]) -> None:
        """Add events that tell of no upload; their ``upload_id`` is empty."""
        ...

    async def events(
        self, limit: int, *, after: int = 0, dead: bool | None = None
    ) -> Sequence[Event]:
        """List events that were not settled, oldest first.

        Args:
            limit: At most so many.
            after: Only those whose number comes after this one, to page on.
            dead: Only those that are dead, or that are not; None is both.
        """
        ...

    async def due(self, now: float, limit: int, receivers: Collection[Receiver]) -> Sequence[Event]:
        """List events that are to be told now, oldest first.

        Of those about one upload for one receiver only the first can be among them, whenever that
        is due: they are told in order. The dead are passed over.

        Args:
            now: Unix time in seconds.
            limit: At most so many.
            receivers: Only those for these.
        """
        ...

    async def change_event(self, event: Event) -> None:
        """Change when an event is due, its attempts, its error, and whether it is dead.

        No harm if it is there no more.
        """
        ...

    async def settle(self, event_id: str) -> None:
        """Forget an event: its receiver has heard of it, or shall not."""
        ...

    async def backlog(self) -> Backlog:
        """Count the events that were not settled."""
        ...
