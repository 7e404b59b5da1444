"""What a browser may do with a download, and under which name (RFC 6266).

Clients send names and types as they like. A page with a script in it must not run as one of this
server's, so browsers show what cannot hold a script and save everything else.
"""

import re
import unicodedata
from urllib.parse import quote

BINARY = "application/octet-stream"
INLINE: frozenset[str] = frozenset(
    {
        "text/plain",
        *("image/png", "image/jpeg", "image/gif", "image/bmp", "image/webp", "image/avif"),
        *("audio/wave", "audio/wav", "audio/x-wav", "audio/x-pn-wav", "audio/webm", "audio/ogg"),
        *("audio/mpeg", "audio/mp4", "audio/aac", "audio/flac", "audio/x-flac"),
        *("video/mp4", "video/webm", "video/ogg", "application/ogg"),
    }
)
"""Types that browsers show; tusd has the same but for those of newer formats."""

# What some browsers would decode, or take for the end of the name.
_UNQUOTABLE = re.compile(r'[^ -~]|["\\%]')
_SEPARATOR = re.compile(r"[/\\]")
# As long as the names that file systems take, and short enough for every proxy's header buffer.
_LONGEST = 200


def shown_type(filetype: str) -> str:
    """The media type of a download whose client named this one: it, if browsers may show it."""
    essence = filetype.partition(";")[0].strip(" \t").lower()
    return essence if essence in INLINE else BINARY


def disposition(media_type: str, filename: str) -> str:
    """The value of ``Content-Disposition``.

    A name that is not plain ASCII comes twice: nearly right for old clients, and as it is. Of a
    path only the last segment is the name.

    Args:
        media_type: What ``shown_type`` gave.
        filename: As the client sent it; empty if it sent none.
    """
    kind = "inline" if media_type in INLINE else "attachment"
    name = _clean(filename)
    if not name:
        return kind
    fallback = _UNQUOTABLE.sub("_", name)
    if fallback == name:
        return f'{kind}; filename="{name}"'
    return f"{kind}; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe='')}"


def _clean(filename: str) -> str:
    name = _SEPARATOR.split(filename)[-1]
    # Characters that are not seen end lines, or turn the direction of writing to hide what a
    # file is.
    visible = "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cf"))
    return visible.strip()[-_LONGEST:]
