"""Decisions that need the upload's state: request + upload -> plan, or a ``ProtocolError``."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from tusd_py.errors import (
    InvalidConcat,
    InvalidHeader,
    OffsetMismatch,
    TooLarge,
    UploadIsFinal,
)

from .requests import Append, Body
from .upload import Kind, Upload, UploadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a body goes into an upload.

    Attributes:
        offset: Where the first byte goes.
        length: The upload's length once the plan is done; None if it stays deferred.
        room: How many bytes it may take at most; None is no limit.
    """

    offset: int
    length: int | None
    room: int | None


def check_stale(request: Append, upload: Upload) -> None:
    """Refuse a PATCH below the committed offset before it can disturb a healthy transfer.

    Raises:
        UploadIsFinal: 403, the upload is a final one.
        OffsetMismatch: 409, the bytes at this offset were acknowledged already.
    """
    # clause concatenation.patch-final
    if upload.kind is Kind.FINAL:
        raise UploadIsFinal
    if request.offset < upload.offset or (upload.finished and request.offset > upload.offset):
        raise OffsetMismatch(claimed=request.offset, actual=upload.offset)


def plan_append(request: Append, upload: Upload, max_size: int | None) -> Plan:
    """Check a PATCH against the upload it addresses.

    Raises:
        UploadIsFinal: 403, the upload is a final one.
        OffsetMismatch: 409, and nothing changes.
        InvalidHeader: 400, ``Upload-Length`` contradicts what is known.
        TooLarge: 413, ``Content-Length`` runs past the upload's length or limit.
    """
    # clause concatenation.patch-final
    if upload.kind is Kind.FINAL:
        raise UploadIsFinal
    # clause patch.offset-mismatch
    if request.offset != upload.offset:
        raise OffsetMismatch(claimed=request.offset, actual=upload.offset)
    length = _length_after(request, upload)
    return plan_body(request.body, upload, length, max_size)


def plan_body(body: Body, upload: Upload, length: int | None, max_size: int | None) -> Plan:
    """Plan the bytes of a PATCH, or of a creation that brings its first ones.

    Raises:
        TooLarge: 413, ``Content-Length`` runs past the upload's length or limit.
    """
    limit = length if length is not None else smaller(upload.max_length, max_size)
    # A limit that was lowered since can lie below what is there already.
    room = None if limit is None else max(0, limit - upload.offset)
    # clause patch.exceeds-length
    if room is not None and body.length is not None and body.length > room:
        raise TooLarge(limit=limit or 0, what="This upload")
    return Plan(offset=upload.offset, length=length, room=room)


def check_parts(parts: Sequence[Upload | None], subject: str | None, max_size: int | None) -> None:
    """Check the uploads that a final one lists.

    Args:
        parts: What the list's URLs point to, None where that is nothing.
        subject: Who asks; parts of others are none.
        max_size: The server's limit, in bytes.

    Raises:
        InvalidConcat: 400, one is unknown or not a partial upload.
        TooLarge: 413, together they are over the server's limit.
    """
    for position, part in enumerate(parts, 1):
        # clause concatenation.only-partials
        if part is None or part.kind is not Kind.PARTIAL or part.subject != subject:
            raise InvalidConcat(f"URL {position} in Upload-Concat is not a partial upload.")
    total = sum(part.length or part.offset for part in parts if part is not None)
    if max_size is not None and total > max_size:
        raise TooLarge(limit=max_size, what="An upload")


def fits(size: int, upload: Upload, max_size: int | None) -> bool:
    """Tell whether so many bytes are within the upload's own limit and the server's."""
    limit = smaller(upload.max_length, max_size)
    return limit is None or size <= limit


def final_length(parts: Sequence[Upload]) -> int | None:
    """The length in bytes of the final upload of these parts; None while one is unknown."""
    # clause concatenation.final-length
    lengths = [part.length for part in parts]
    if any(length is None for length in lengths):
        return None
    return sum(length for length in lengths if length is not None)


def part_ids(urls: Sequence[str], creation_url: str) -> tuple[UploadId, ...]:
    """The ids in the URLs of an ``Upload-Concat`` list.

    Args:
        urls: Absolute, or relative to the creation URL.
        creation_url: Where uploads are created; the URLs of uploads are this, a slash and an id.

    Raises:
        InvalidConcat: 400, a URL points elsewhere.
    """
    return tuple(_part_id(position, url, creation_url) for position, url in enumerate(urls, 1))


def _part_id(position: int, url: str, creation_url: str) -> UploadId:
    # clause concatenation.urls: both spellings of the creation URL are the same.
    base = creation_url.rstrip("/") + "/"
    for start in (base, base.rstrip("/")):
        try:
            joined = urljoin(start, url)
        except ValueError:
            break
        name = joined.removeprefix(base)
        if joined != name and name and not any(character in name for character in "/?#%:"):
            return UploadId(name)
    raise InvalidConcat(f"URL {position} in Upload-Concat does not point to an upload here.")


def _length_after(request: Append, upload: Upload) -> int | None:
    if request.length is None:
        return upload.length
    # clause creation.length-once
    if upload.length is not None and request.length != upload.length:
        raise InvalidHeader("Upload-Length", "cannot be changed once it is known")
    if request.length < upload.offset:
        raise InvalidHeader("Upload-Length", "is less than what the upload has already")
    if upload.max_length is not None and request.length > upload.max_length:
        raise TooLarge(limit=upload.max_length, what="This upload")
    return request.length


def smaller(one: int | None, other: int | None) -> int | None:
    """The smaller of two limits, of which None is no limit."""
    limits = [limit for limit in (one, other) if limit is not None]
    return min(limits, default=None)
