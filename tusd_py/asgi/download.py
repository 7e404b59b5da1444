"""GET: an upload as a file, whole or a part of it."""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from tusd_py.protocol.conditions import Validators, not_modified, range_applies
from tusd_py.protocol.disposition import INLINE, disposition, shown_type
from tusd_py.protocol.headers import format_date
from tusd_py.protocol.metadata import parse_metadata, text_of
from tusd_py.protocol.ranges import Part, select_part
from tusd_py.protocol.requests import Headers
from tusd_py.protocol.upload import Kind, Upload
from tusd_py.storage import FileBacked, Storage
from tusd_py.streaming.connection import PATH_SEND, ZERO_COPY
from tusd_py.streaming.pieces import Pieces

from .answer import Answer, FilePart

# Whoever keeps it asks before using it: an upload can be removed, and a right to it can end. And
# what is one client's is not for a cache that others share.
_CACHING = {"Cache-Control": "private, no-cache"}


@dataclass(frozen=True, slots=True)
class Ways:
    """How a download may be sent.

    Attributes:
        sending: ASGI's extensions for sending files that may be used.
        pieces: How it is read where none of them is.
    """

    sending: frozenset[str]
    pieces: Pieces


def downloadable(upload: Upload, *, unfinished: bool) -> bool:
    """Tell whether there is something to fetch.

    Args:
        upload: The upload as it is recorded.
        unfinished: What has arrived of an upload may be fetched too.
    """
    return upload.finished or (unfinished and upload.kind is not Kind.FINAL)


async def download(storage: Storage, upload: Upload, headers: Headers, ways: Ways) -> Answer:
    """Answer a GET with what is recorded of an upload.

    Args:
        storage: Where the bytes are.
        upload: What is wanted.
        headers: The request's.
        ways: How it may be sent.

    Raises:
        PreconditionFailed: 412.
        RangeNotSatisfiable: 416.
        StorageError: 500.
    """
    validators = _validators(upload)
    if not_modified(headers, validators):
        return Answer(status=304, headers={**_CACHING, "ETag": validators.etag})
    wanted = headers.get("range") if range_applies(headers, validators) else None
    part = select_part(wanted, upload.offset)
    answer = {**_headers(upload, validators), **_CACHING}
    if part is None:
        return await _answer(storage, upload, 200, answer, Part(0, upload.offset), ways)
    answer["Content-Range"] = part.content_range(upload.offset)
    return await _answer(storage, upload, 206, answer, part, ways)


async def _answer(
    storage: Storage,
    upload: Upload,
    status: int,
    headers: dict[str, str],
    part: Part,
    ways: Ways,
) -> Answer:
    file = await _file_part(storage, upload, part, ways.sending)
    stream = None
    if file is None and part.count:
        read = storage.read(upload, part.start, part.count, ways.pieces.next_size)
        stream = await _begun(ways.pieces.counted(read))
    return Answer(
        status=status,
        headers={**headers, "Content-Length": str(part.count)},
        stream=stream,
        part=file,
        facts={"range": headers["Content-Range"]} if "Content-Range" in headers else {},
    )


def _validators(upload: Upload) -> Validators:
    """What tells this download from another one.

    A stored byte never changes, so the upload and how much of it there is are enough; an id can
    come again after a removal, its time of creation does not. Only a finished upload has a date.
    """
    state = f"{upload.id}/{upload.created_at}/{upload.offset}"
    digest = hashlib.sha256(state.encode()).hexdigest()[:32]
    modified = None if upload.finished_at is None else int(upload.finished_at)
    return Validators(f'"{digest}"', modified)


def _headers(upload: Upload, validators: Validators) -> dict[str, str]:
    metadata = text_of(parse_metadata(upload.metadata))
    media_type = shown_type(metadata.get("filetype", ""))
    headers = {
        "Content-Type": media_type,
        "Content-Disposition": disposition(media_type, metadata.get("filename", "")),
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "ETag": validators.etag,
    }
    if validators.modified is not None:
        headers["Last-Modified"] = format_date(validators.modified)
    if media_type in INLINE:
        # Should a browser find something to run in it after all, then not as one of our pages.
        headers["Content-Security-Policy"] = "sandbox"
    return headers


async def _file_part(
    storage: Storage, upload: Upload, part: Part, sending: frozenset[str]
) -> FilePart | None:
    """Open an upload for a server that sends files; None where there is no such thing."""
    # By its path a file is sent whole, and an unfinished one may have grown by then.
    whole = upload.finished and part.count == upload.offset
    usable = [ZERO_COPY, PATH_SEND] if whole else [ZERO_COPY]
    by = next((extension for extension in usable if extension in sending), None)
    if by is None or not part.count or not isinstance(storage, FileBacked):
        return None
    file = await storage.open(upload)
    if file is None:
        return None
    return FilePart(file=file, offset=part.start, count=part.count, by=by)


async def _begun(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Read the first piece now: what fails here can still be answered with an error."""
    first = await anext(pieces, b"")

    async def all_of_them() -> AsyncGenerator[bytes, None]:
        async with aclosing(pieces):
            yield first
            async for piece in pieces:
                yield piece

    return all_of_them()
