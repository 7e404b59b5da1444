"""The headers that tell an upload's state."""

from .headers import format_date
from .upload import Kind, Upload


def offset_headers(upload: Upload) -> dict[str, str]:
    """What a creation or an append answers with besides its status."""
    headers = {"Upload-Offset": str(upload.offset)}
    # clause expiration.expires
    if upload.expires and upload.expires_at is not None:
        headers["Upload-Expires"] = format_date(upload.expires_at)
    return headers


def inspection_headers(upload: Upload) -> dict[str, str]:
    """What HEAD answers with."""
    # clause head.no-store
    headers = {"Cache-Control": "no-store"}
    # clause head.offset, clause concatenation.final-offset
    if upload.kind is not Kind.FINAL or upload.finished:
        headers["Upload-Offset"] = str(upload.offset)
    # clause head.length, clause creation.defer-head
    if upload.length is not None:
        headers["Upload-Length"] = str(upload.length)
    elif upload.kind is not Kind.FINAL:
        headers["Upload-Defer-Length"] = "1"
    # clause head.metadata
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    # clause concatenation.head-concat
    if upload.concat is not None:
        headers["Upload-Concat"] = upload.concat
    if upload.expires and upload.expires_at is not None:
        headers["Upload-Expires"] = format_date(upload.expires_at)
    return headers
