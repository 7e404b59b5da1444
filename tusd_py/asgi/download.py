"""GET: a finished upload as a file."""

import re
from urllib.parse import quote

from tusd_py.protocol.metadata import parse_metadata, text_of
from tusd_py.protocol.upload import Upload

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_UNQUOTABLE = re.compile(r"[^ !#-\[\]-~]")


def download_headers(upload: Upload) -> dict[str, str]:
    """The headers of a download.

    What a client once sent may be a page with a script in it, so browsers are told to save it and
    not to guess what it is.
    """
    metadata = text_of(parse_metadata(upload.metadata))
    media_type = metadata.get("filetype", "")
    return {
        "Content-Type": media_type
        if _MEDIA_TYPE.fullmatch(media_type)
        else "application/octet-stream",
        "Content-Length": str(upload.offset),
        "Content-Disposition": _disposition(metadata.get("filename", "")),
        "X-Content-Type-Options": "nosniff",
    }


def _disposition(filename: str) -> str:
    """An attachment by its name, as RFC 6266 writes names that are not ASCII."""
    if not filename:
        return "attachment"
    fallback = _UNQUOTABLE.sub("_", filename)
    if fallback == filename:
        return f'attachment; filename="{filename}"'
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(filename, safe='')}"
