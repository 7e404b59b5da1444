"""Every error that tusd_py raises.

::

    TusError
    ├── ProtocolError            the client broke a rule; owns its HTTP status
    │   ├── UnsupportedVersion   412
    │   ├── InvalidHeader        400
    │   ├── UnsupportedMediaType 415
    │   ├── OffsetMismatch       409
    │   ├── TooLarge             413
    │   ├── UploadIsFinal        403
    │   ├── InvalidConcat        400
    │   ├── UnknownAlgorithm     400
    │   ├── ChecksumMismatch     460
    │   ├── NotSupported         501
    │   ├── MethodNotAllowed     405
    │   ├── PreconditionFailed   412
    │   └── RangeNotSatisfiable  416
    ├── Reject                   a callable of the application said no
    ├── NotAuthenticated         401
    ├── AccessRefused            403
    │   ├── TokenRefused         a token does not hold
    │   ├── GrantUsed            a grant holds, and admits no further upload
    │   └── NotGranted           a token holds, and does not cover the request
    ├── OverLimit                the subject has as much as it may have
    │   ├── QuotaExceeded        403
    │   └── SubjectBusy          429
    ├── UploadNotFound           404 (or 410, see ``Config.gone_status``)
    ├── LockTimeout              423
    ├── TooManyUploads           503
    ├── TransferStopped          423 or 503, or no answer at all
    ├── CallableFailed           500, a callable of the application raised
    ├── HookUnavailable          503, a webhook gave no answer, or a bad one
    ├── StorageError             500
    │   ├── StorageFull          507
    │   └── StorageDamaged       500
    ├── MetadataError            500
    │   ├── UploadExists         409 towards the application, never towards a client
    │   ├── MetadataUnavailable  503, on HEAD 423
    │   └── SchemaTooNew         at start-up only
    └── ConfigError              at start-up only

Those of the uploader hang below ``UploadFailed``, in ``tusd_py.client.errors``.

``code`` is stable, appears in problem details and in the log, and is documented in
``docs/reference/errors.md``. The text is a plain sentence for the person at the client; it never
holds an internal path or the text of a foreign exception.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def check_headers(headers: Mapping[str, str]) -> None:
    """Let response headers through that HTTP can carry.

    Raises:
        ValueError: A name or a value has a character that would end or break it.
    """
    for name, value in headers.items():
        if not can_be_sent(name, value):
            raise ValueError(f"The header {name!r} cannot be sent.")


def can_be_sent(name: str, value: str) -> bool:
    """Tell whether HTTP can carry a header."""
    return bool(_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value))


class TusError(Exception):
    """The root of all errors of this package."""

    code: ClassVar[str] = "internal-error"


class ProtocolError(TusError):
    """A request broke a rule of the protocol; ``status`` is the answer it is owed."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"


class UnsupportedVersion(ProtocolError):
    """``Tus-Resumable`` is missing or names a version that the server does not speak."""

    status = 412
    code = "unsupported-version"

    def __init__(self, version: str | None) -> None:
        self.version = version
        super().__init__("Tus-Resumable must be 1.0.0.")


class InvalidHeader(ProtocolError):
    """A header is missing or its value is not of the required form."""

    status = 400
    code = "invalid-header"

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self.why = why
        super().__init__(f"{name} {why}.")


class UnsupportedMediaType(ProtocolError):
    """The body's content type is not ``application/offset+octet-stream``."""

    status = 415
    code = "unsupported-media-type"

    def __init__(self) -> None:
        super().__init__("Content-Type must be application/offset+octet-stream.")


class OffsetMismatch(ProtocolError):
    """``Upload-Offset`` is not the upload's offset; the answer carries the right one (bytes)."""

    status = 409
    code = "offset-mismatch"

    def __init__(self, *, claimed: int, actual: int) -> None:
        self.claimed = claimed
        self.actual = actual
        super().__init__(f"The upload's offset is {actual}, not {claimed}.")


class TooLarge(ProtocolError):
    """More bytes were announced or sent than the upload or the server admits."""

    status = 413
    code = "too-large"

    def __init__(self, *, limit: int, what: str) -> None:
        self.limit = limit
        super().__init__(f"{what} is limited to {limit} bytes.")


class UploadIsFinal(ProtocolError):
    """A final upload cannot be appended to."""

    status = 403
    code = "upload-is-final"

    def __init__(self) -> None:
        super().__init__("A final upload is made of its partial uploads and takes no bytes.")


class InvalidConcat(ProtocolError):
    """``Upload-Concat`` lists uploads that cannot be concatenated."""

    status = 400
    code = "invalid-concat"


class UnknownAlgorithm(ProtocolError):
    """``Upload-Checksum`` names an algorithm that the server does not offer."""

    status = 400
    code = "unknown-checksum-algorithm"

    def __init__(self, offered: Sequence[str]) -> None:
        super().__init__(f"Upload-Checksum must use one of: {', '.join(offered)}.")


class ChecksumMismatch(ProtocolError):
    """The body does not have the announced checksum; it was discarded."""

    status = 460
    code = "checksum-mismatch"

    def __init__(self) -> None:
        super().__init__("The body does not match Upload-Checksum and was discarded.")


class NotSupported(ProtocolError):
    """The request needs an extension that this server does not offer."""

    status = 501
    code = "extension-not-supported"

    def __init__(self, extension: str) -> None:
        super().__init__(f"This server does not offer the extension {extension}.")


class MethodNotAllowed(ProtocolError):
    """The resource does not know the method; the answer carries ``Allow``."""

    status = 405
    code = "method-not-allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = tuple(allowed)
        super().__init__(f"Allowed here: {', '.join(allowed)}.")


class PreconditionFailed(ProtocolError):
    """``If-Match`` or ``If-Unmodified-Since`` does not hold for what is there."""

    status = 412
    code = "precondition-failed"

    def __init__(self) -> None:
        super().__init__("The file is not the one that the request expects.")


class RangeNotSatisfiable(ProtocolError):
    """``Range`` begins behind the last byte; the answer carries ``Content-Range``.

    Args:
        size: How many bytes there are.
    """

    status = 416
    code = "range-not-satisfiable"

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"The file has {size} bytes, and none of them is in this range.")


class Reject(TusError):
    """Raised by an application's callable to refuse a request.

    Args:
        status: The HTTP status of the answer, 400 to 599.
        reason: A sentence for the client.
        headers: Further response headers, by name.
        body: Sent as it is instead of a problem that has the reason; text, unless the headers say
            otherwise.
    """

    code = "rejected"

    def __init__(
        self,
        status: int = 400,
        reason: str = "",
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> None:
        if not 400 <= status <= 599:  # noqa: PLR2004 - the range of HTTP's error statuses
            raise ValueError(f"A rejection's status is between 400 and 599, not {status}.")
        check_headers(headers or {})
        self.status = status
        self.reason = reason or "The application refused the request."
        self.headers = headers or {}
        self.body = body
        super().__init__(self.reason)


class NotAuthenticated(TusError):
    """The request does not say who makes it, and the server wants to know."""

    code = "not-authenticated"

    def __init__(self) -> None:
        super().__init__("This server wants to know who you are.")


class Refusal(StrEnum):
    """Why a token is refused; stable, for the audit log."""

    MALFORMED = "malformed"
    """It is not of the documented form."""

    UNKNOWN_KEY = "unknown-key"
    """It names a key that the server does not have."""

    RETIRED_KEY = "retired-key"
    """It names a key whose signatures are accepted no more."""

    BAD_SIGNATURE = "bad-signature"
    """The key that it names did not sign this."""

    EXPIRED = "expired"
    """Its time is over."""

    NOT_YET_VALID = "not-yet-valid"
    """Its time has not begun."""

    LIVES_TOO_LONG = "lives-too-long"
    """More time lies between its beginning and its end than the server admits."""


class Uncovered(StrEnum):
    """What a request wants that the token with it does not give; stable, for the audit log."""

    CAPABILITY = "no-capability"
    """An upload was addressed by its bare id."""

    SEVERAL = "several-grants"
    """More than one grant came with it, and they may differ."""

    PATH = "path"
    """The grant is for another path."""

    METHOD = "method"
    """The upload's holder may not do this."""

    LENGTH = "length"
    """The grant is for another length."""

    METADATA = "metadata"
    """The grant is for other metadata."""

    CONCATENATION = "concatenation"
    """The grant admits no partial uploads, or a part is another subject's."""

    USED = "used"
    """The grant has admitted as many uploads as it may."""


class AccessRefused(TusError):
    """Somebody may not do what they ask for; the audit log has one line for each.

    Args:
        text: A sentence for the client.
        reason: Why, for the audit log.
        key_id: The key that the token names, if it is of a form that names one. It may be
            anything that a stranger wrote, but has only letters, digits, ``_`` and ``-``.
    """

    def __init__(self, text: str, reason: StrEnum, key_id: str | None = None) -> None:
        self.reason = reason
        self.key_id = key_id
        super().__init__(text)


class TokenRefused(AccessRefused):
    """A grant or a capability was presented that does not hold."""

    code = "token-refused"

    TEXTS: ClassVar[dict[Refusal, str]] = {
        Refusal.MALFORMED: "The token is damaged or of another kind.",
        Refusal.UNKNOWN_KEY: "The token was signed with a key that this server does not know.",
        Refusal.RETIRED_KEY: "The token was signed with a key that is not accepted any more.",
        Refusal.BAD_SIGNATURE: "The signature of the token is wrong.",
        Refusal.EXPIRED: "The token has expired.",
        Refusal.NOT_YET_VALID: "The token is not valid yet.",
        Refusal.LIVES_TOO_LONG: "The token lives longer than this server admits.",
    }

    reason: Refusal

    def __init__(self, reason: Refusal, key_id: str | None = None) -> None:
        super().__init__(self.TEXTS[reason], reason, key_id)


class GrantUsed(AccessRefused):
    """A grant has admitted as many uploads as it may, or as many bytes of partial ones.

    Args:
        upload_id: The upload that the same request made, if it did; never for a partial one.
        key_id: The key that signed the grant.
    """

    code = "grant-used"

    def __init__(self, upload_id: str | None = None, key_id: str | None = None) -> None:
        self.upload_id = upload_id
        super().__init__("The grant of this upload was used before.", Uncovered.USED, key_id)


class NotGranted(AccessRefused):
    """The token that was presented holds, and does not cover the request; or there is none."""

    code = "not-granted"

    TEXTS: ClassVar[dict[Uncovered, str]] = {
        Uncovered.CAPABILITY: "Uploads are addressed by the whole URL that their creation gave.",
        Uncovered.SEVERAL: "A creation takes one grant.",
        Uncovered.PATH: "The grant is for another path.",
        Uncovered.METHOD: "The grant of this upload did not include that.",
        Uncovered.LENGTH: "The grant is for an upload of another length.",
        Uncovered.METADATA: "The grant is for an upload with other metadata.",
        Uncovered.CONCATENATION: "The grant does not cover this concatenation.",
        Uncovered.USED: "The grant was used before.",
    }

    reason: Uncovered

    def __init__(self, reason: Uncovered, key_id: str | None = None) -> None:
        super().__init__(self.TEXTS[reason], reason, key_id)


class OverLimit(TusError):
    """Whoever asks has as much as the server lets one subject have."""


class QuotaExceeded(OverLimit):
    """Their uploads have as many bytes together as they may, or would have more."""

    code = "quota-exceeded"

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"All your uploads together are limited to {limit} bytes.")


class SubjectBusy(OverLimit):
    """They have as many unfinished uploads as they may, or create them too fast."""

    code = "subject-busy"

    def __init__(self, *, unfinished: bool) -> None:
        self.unfinished = unfinished
        why = "You have too many unfinished uploads" if unfinished else "You upload too many files"
        super().__init__(f"{why} at the moment. Try again later.")


class UploadNotFound(TusError):
    """There is no upload with this id, or not any more."""

    code = "upload-not-found"

    def __init__(self, upload_id: str) -> None:
        self.upload_id = upload_id
        super().__init__("There is no such upload.")


class LockTimeout(TusError):
    """Another request holds the upload and did not let go in time."""

    code = "upload-locked"

    def __init__(self, upload_id: str) -> None:
        self.upload_id = upload_id
        super().__init__("Another request is using this upload. Try again in a moment.")


class CallableFailed(TusError):
    """A callable of the application raised; what was stored stays stored."""

    code = "application-error"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__("The application failed while it handled this upload. Try again.")


class HookUnavailable(TusError):
    """A webhook that has a say in a request gave no answer in time, or one that is no answer."""

    code = "hook-unavailable"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__("The application did not answer. Try again in a moment.")


class TooManyUploads(TusError):
    """As many transfers run as may, in all or from this client."""

    code = "too-many-uploads"

    def __init__(self) -> None:
        super().__init__("Too many uploads are running. Try again in a moment.")


class TransferStopped(TusError):
    """The body ended early; the bytes that came before are kept.

    ``reason`` is one of ``cut``, ``idle``, ``revoked``, ``shutdown``, ``switched``.
    """

    code = "transfer-stopped"

    TEXTS: ClassVar[dict[str, str]] = {
        "cut": "The connection ended before the body did.",
        "idle": "Too few bytes came for too long. Ask for the offset and go on from there.",
        "revoked": "Another request took this upload over.",
        "shutdown": "The server is shutting down. Ask for the offset later and go on from there.",
        "switched": "The server's network changed. Ask for the offset and go on from there.",
    }

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(self.TEXTS[reason])


class StorageError(TusError):
    """The storage failed; nothing was acknowledged that is not safe."""

    code = "storage-error"

    def __init__(self, what: str = "The storage failed. Try again.") -> None:
        super().__init__(what)


class StorageFull(StorageError):
    """There is no room for the bytes; those that fitted are kept."""

    code = "storage-full"

    def __init__(self) -> None:
        super().__init__("The server has no room left for this upload.")


class StorageDamaged(StorageError):
    """The stored bytes are fewer than were acknowledged."""

    code = "storage-damaged"

    def __init__(self, upload_id: str, *, recorded: int, stored: int) -> None:
        self.upload_id = upload_id
        self.recorded = recorded
        self.stored = stored
        super().__init__("Stored bytes of this upload are missing. Terminate it and start anew.")


class MetadataError(TusError):
    """The metadata store failed."""

    code = "metadata-error"

    def __init__(self, what: str = "The metadata store failed. Try again.") -> None:
        super().__init__(what)


class UploadExists(MetadataError):
    """An upload with this id, or this place among the finished files, exists already."""

    code = "upload-exists"

    def __init__(self, upload_id: str) -> None:
        self.upload_id = upload_id
        super().__init__("An upload with this id or place exists already.")


class MetadataUnavailable(MetadataError):
    """The metadata store does not answer at the moment."""

    code = "metadata-unavailable"

    def __init__(self) -> None:
        super().__init__("The metadata store does not answer. Try again in a moment.")


class SchemaTooNew(MetadataError):
    """The database was written by a newer version of this program."""

    code = "schema-too-new"

    def __init__(self, *, found: int, known: int) -> None:
        self.found = found
        self.known = known
        super().__init__(
            f"The database has schema {found}, this program knows {known} at most. "
            "Use the version that wrote it, or a newer one."
        )


class ConfigError(TusError):
    """Settings are wrong; ``problems`` holds one sentence for each."""

    code = "config-error"

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))
