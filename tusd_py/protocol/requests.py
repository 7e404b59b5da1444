"""From headers to what a request asks for, as far as that needs no state.

Headers come as a mapping of lower-case names; the values of a repeated header are joined with a
comma, so that a number sent twice is no number any more.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tusd_py.errors import (
    InvalidConcat,
    InvalidHeader,
    MethodNotAllowed,
    TooLarge,
    UnsupportedMediaType,
    UnsupportedVersion,
)

from .checksum import Checksum, parse_checksum
from .headers import OFFSET_TYPE, VERSION, body_announced, media_type, parse_bytes
from .metadata import parse_metadata
from .upload import Kind

Headers = Mapping[str, str]

FINAL_TAKES_NO_BODY = "A final upload is made of its partial uploads and takes no body."
METHODS = ("OPTIONS", "HEAD", "GET", "POST", "PATCH", "DELETE")
_TRAILER_NAME = re.compile(r"(^|,)\s*upload-checksum\s*(,|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What the headers say of the body.

    Attributes:
        announced: There is one, of a length above zero or of unknown length.
        length: ``Content-Length`` in bytes; None if the body is chunked or absent.
        checksum: What ``Upload-Checksum`` promises.
        checksum_in_trailer: ``Upload-Checksum`` is to come after the body.
    """

    announced: bool
    length: int | None
    checksum: Checksum | None
    checksum_in_trailer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """What a POST asks for.

    Attributes:
        kind: Plain, partial or final.
        length: ``Upload-Length`` in bytes; None if deferred, and for a final upload.
        metadata: ``Upload-Metadata`` as it came; empty if none.
        concat: ``Upload-Concat`` as it came, None for a plain upload.
        part_urls: The URLs that a final upload lists.
        body: The first bytes, perhaps.
        foreign_type: The content type is not the protocol's, so a body is refused with 415.
    """

    kind: Kind
    length: int | None
    metadata: str
    concat: str | None
    part_urls: tuple[str, ...]
    body: Body
    foreign_type: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """What a PATCH asks for.

    Attributes:
        offset: ``Upload-Offset`` in bytes.
        length: ``Upload-Length`` in bytes, where a deferred one is declared now.
        body: The bytes to append.
    """

    offset: int
    length: int | None
    body: Body


def effective_method(method: str, headers: Headers) -> str:
    """The method that counts.

    Raises:
        MethodNotAllowed: 405, ``X-HTTP-Method-Override`` names no method of the protocol.
    """
    # clause core.method-override: whatever the actual method is, it is ignored.
    override = headers.get("x-http-method-override")
    if override is None:
        return method
    if override.upper() not in METHODS:
        raise MethodNotAllowed(METHODS)
    return override.upper()


def check_version(method: str, headers: Headers) -> None:
    """Refuse a request that does not speak this version of the protocol.

    Raises:
        UnsupportedVersion: 412, ``Tus-Resumable`` is absent or another version.
    """
    # clause core.options-ignores-version; a download is not part of the protocol.
    if method in ("OPTIONS", "GET"):
        return
    # clause core.version-412
    version = headers.get("tus-resumable")
    if version != VERSION:
        raise UnsupportedVersion(version)


def parse_creation(headers: Headers, max_size: int | None) -> Creation:
    """Read a POST.

    Raises:
        InvalidHeader: 400, a header is missing, malformed or contradicts another.
        UnknownAlgorithm: 400, the checksum's algorithm is not offered.
        InvalidConcat: 400, ``Upload-Concat`` is malformed.
        TooLarge: 413, the length is over the server's limit, or the body over the length.
        UnsupportedMediaType: 415, a body of another content type.
    """
    kind, part_urls = _parse_concat(headers.get("upload-concat"))
    length = _parse_new_length(headers, kind)
    # clause creation.max-size
    if length is not None and max_size is not None and length > max_size:
        raise TooLarge(limit=max_size, what="An upload")
    metadata = headers.get("upload-metadata", "").strip(" ")
    parse_metadata(metadata)
    body = _parse_body(headers)
    foreign_type = media_type(headers) != OFFSET_TYPE
    if body.length and foreign_type:
        raise UnsupportedMediaType
    if body.length and kind is Kind.FINAL:
        raise InvalidConcat(FINAL_TAKES_NO_BODY)
    _check_body_fits(body, 0, length if length is not None else max_size)
    return Creation(
        kind=kind,
        length=length,
        metadata=metadata,
        concat=headers.get("upload-concat"),
        part_urls=part_urls,
        body=body,
        foreign_type=foreign_type,
    )


def parse_append(headers: Headers, max_size: int | None) -> Append:
    """Read a PATCH.

    Raises:
        UnsupportedMediaType: 415, the content type is not the protocol's.
        InvalidHeader: 400, a header is missing or malformed.
        UnknownAlgorithm: 400, the checksum's algorithm is not offered.
        TooLarge: 413, what it declares or brings is over the server's limit.
    """
    # clause patch.content-type
    if media_type(headers) != OFFSET_TYPE:
        raise UnsupportedMediaType
    offset = parse_bytes(headers, "Upload-Offset")
    # clause patch.offset-header
    if offset is None:
        raise InvalidHeader("Upload-Offset", "is missing")
    length = parse_bytes(headers, "Upload-Length")
    if length is not None and max_size is not None and length > max_size:
        raise TooLarge(limit=max_size, what="An upload")
    return Append(offset=offset, length=length, body=_parse_body(headers))


def _check_body_fits(body: Body, offset: int, limit: int | None) -> None:
    if limit is not None and body.length is not None and offset + body.length > limit:
        raise TooLarge(limit=limit, what="This upload")


def _parse_new_length(headers: Headers, kind: Kind) -> int | None:
    length = parse_bytes(headers, "Upload-Length")
    deferred = headers.get("upload-defer-length")
    if kind is Kind.FINAL:
        # clause concatenation.final-no-length
        if length is not None or deferred is not None:
            raise InvalidHeader("Upload-Length", "must not be sent for a final upload")
        return None
    # clause creation.length-or-deferred
    if (length is None) == (deferred is None):
        raise InvalidHeader("Upload-Length", "or Upload-Defer-Length is needed, and not both")
    # clause creation.defer-value
    if deferred is not None and deferred != "1":
        raise InvalidHeader("Upload-Defer-Length", "must be 1")
    return length


def _parse_concat(value: str | None) -> tuple[Kind, tuple[str, ...]]:
    if value is None:
        return Kind.PLAIN, ()
    if value == "partial":
        return Kind.PARTIAL, ()
    if not value.startswith("final;"):
        raise InvalidConcat('Upload-Concat must be "partial" or "final;" and a list of URLs.')
    # clause concatenation.final-list
    urls = value.removeprefix("final;").strip(" ").split(" ")
    if not all(urls):
        raise InvalidConcat("Upload-Concat must list URLs, one space between them.")
    return Kind.FINAL, tuple(urls)


def _parse_body(headers: Headers) -> Body:
    checksum = headers.get("upload-checksum")
    return Body(
        announced=body_announced(headers),
        length=parse_bytes(headers, "Content-Length"),
        checksum=None if checksum is None else parse_checksum(checksum),
        checksum_in_trailer=checksum is None
        and _TRAILER_NAME.search(headers.get("trailer", "")) is not None,
    )
