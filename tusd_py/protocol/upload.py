"""The facts about one upload, and how they change.

House rules: a value never changes, a transition returns a new one; nothing here knows how facts
are stored or who asks.
"""

from enum import StrEnum
from typing import NamedTuple, NewType

UploadId = NewType("UploadId", str)


class Kind(StrEnum):
    """What part an upload plays in concatenation."""

    PLAIN = "plain"
    PARTIAL = "partial"
    FINAL = "final"


class Upload(NamedTuple):
    """One upload as it is recorded; to be read by the names of its attributes.

    Every request makes several, and a tuple is made and changed much faster than a dataclass.

    Attributes:
        id: The last segment of the upload's URL.
        kind: Plain, partial or final.
        length: ``Upload-Length`` in bytes; None while it is deferred.
        offset: The committed offset in bytes: what was acknowledged, or may be.
        max_length: The most bytes this upload may have, if it has a limit of its own.
        metadata: ``Upload-Metadata`` as the client sent it; empty if it sent none.
        concat: ``Upload-Concat`` as the client sent it, for a partial or final upload.
        parts: The partial uploads of a final one, in order.
        subject: Who created it, as the application's authentication says.
        created_at: Unix time in seconds.
        lifetime: Seconds without an append until an unfinished upload is removed; None is never.
        expires_at: Unix time in seconds when it is; moves on with each append.
        finished_at: Unix time in seconds; None while it is unfinished.
        path: Where the finished file goes, relative to the storage's folder of finished files;
            None for a partial upload, which is never published.
        run: The boot of the machine and the run of the program that recorded this, as
            ``<boot>/<run>``; empty if it was not recorded yet.
        verifying: A request with a checksum is (or was, when the process died) being received.
        fresh: It was created with a grant, and nobody has come to its URL since.
        key_id: The key that signed its URL, if that needs one.
    """

    id: UploadId
    length: int | None
    created_at: float
    kind: Kind = Kind.PLAIN
    offset: int = 0
    max_length: int | None = None
    metadata: str = ""
    concat: str | None = None
    parts: tuple[UploadId, ...] = ()
    subject: str | None = None
    lifetime: float | None = None
    expires_at: float | None = None
    finished_at: float | None = None
    path: str | None = None
    run: str = ""
    verifying: bool = False
    fresh: bool = False
    key_id: str | None = None

    @property
    def finished(self) -> bool:
        """All bytes are there and the end was recorded."""
        return self.finished_at is not None

    @property
    def expires(self) -> bool:
        """It is removed at ``expires_at``: unfinished, or partial and so never the product."""
        return self.expires_at is not None and (not self.finished or self.kind is Kind.PARTIAL)

    def expired(self, now: float) -> bool:
        """It has outlived ``expires_at`` and counts as gone."""
        return self.expires and self.expires_at is not None and self.expires_at <= now

    @property
    def limit(self) -> int | None:
        """The most bytes it can have: its length, or its own limit while the length is open."""
        return self.length if self.length is not None else self.max_length

    def appended(self, offset: int, *, length: int | None, now: float) -> "Upload":
        """The upload with bytes up to ``offset`` committed and its length known, if it is now."""
        expires_at = None if self.lifetime is None else now + self.lifetime
        return self._replace(offset=offset, length=length, expires_at=expires_at, verifying=False)
