"""The tokens that a request carries, taken out of it before anybody else sees them.

Nothing is verified here: what may be a token is cut out whether it is good or not, so that neither
a log line nor a callable of the application ever has one.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

GRANT_SEGMENT: Final = "-/"
"""What a grant in the path follows, below the path of creation."""

_BEARER = re.compile(r"bearer +(.+)", re.IGNORECASE)
_FINAL = "final;"
# The last three of the four parts that grants and capabilities have.
_TOKEN = re.compile(rb"\.[\w-]+\.[\w-]+\.[\w-]{43}(?![\w-])", re.ASCII)
# What ends an id, or a path that leads elsewhere: behind it may be a token.
_NO_ID = re.compile(r"[^\w/-]", re.ASCII)
# Of no form that a token can have.
_DAMAGED: Final = ""
# No id of an upload, and not the path of creation.
_NOBODYS: Final = "."
# Shorter endings are those of files.
_LEAST_SIGNATURE: Final = 40
# Of what the pattern finds.
_LEAST_TOKEN: Final = 48

RawHeaders = Sequence[tuple[bytes, bytes]]


class Presented(NamedTuple):
    """What a request presents, as it came and not verified.

    Attributes:
        rest: What the path has below the base of uploads, without a token.
        grants: Those for a creation; more than one is one too many.
        parts: The last segments of the URLs that ``Upload-Concat`` lists.
        capability: That of the upload which the path names; None if it names a bare id.
    """

    rest: str
    grants: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    capability: str | None = None


def present(rest: str, raw_path: bytes | None, headers: RawHeaders) -> Presented:
    """Find the tokens of a request.

    Args:
        rest: What the path has below the base of uploads, percent-decoded.
        raw_path: The path as it was sent, if the server tells: what was percent-encoded in a token
            makes it a bad one.
        headers: Of the request.
    """
    if not rest:
        return Presented("", *_told(headers))
    # What cannot be encoded did not come as it is.
    unaltered = raw_path is None or raw_path.endswith(b"/" + rest.encode(errors="replace"))
    if rest.startswith(GRANT_SEGMENT):
        grant = rest.removeprefix(GRANT_SEGMENT).removesuffix("/") if unaltered else _DAMAGED
        bearers, parts = _told(headers)
        return Presented("", (grant, *bearers), parts)
    bare = _NO_ID.split(rest, maxsplit=1)[0]
    if bare == rest:
        return Presented(bare)
    return Presented(bare or _NOBODYS, capability=rest if unaltered else _DAMAGED)


def _told(headers: RawHeaders) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The grants and the parts in headers."""
    authorizations, lists = [], []
    for name, value in headers:
        lower = name.lower()
        if lower == b"authorization":
            authorizations.append(value.decode("latin-1").strip(" \t"))
        elif lower == b"upload-concat":
            lists.append(value.decode("latin-1").strip(" \t"))
    return _bearers(authorizations), _parts(lists)


def _bearers(values: Sequence[str]) -> tuple[str, ...]:
    """The grants in headers; of several headers each counts, whatever it holds."""
    bearers = [_BEARER.fullmatch(value) for value in values]
    if len(values) > 1:
        return tuple([bearer[1] if bearer else _DAMAGED for bearer in bearers])
    return tuple([bearer[1] for bearer in bearers if bearer])


def _parts(values: Sequence[str]) -> tuple[str, ...]:
    if len(values) > 1:
        # It is no list, and what others read in several of them is not known here.
        return (_DAMAGED,)
    if not values or not values[0].startswith(_FINAL):
        return ()
    urls = values[0].removeprefix(_FINAL).strip(" ").split(" ")
    return tuple(url.rpartition("/")[2] for url in urls)


def without_tokens(headers: RawHeaders) -> list[tuple[bytes, bytes]]:
    """The headers as anybody may see them: no ``Authorization``, parts by their bare ids.

    Whatever else has what looks like a token, such as a ``Referer`` or what a proxy says of the
    URL, is left out.
    """
    kept = []
    for name, value in headers:
        lower = name.lower()
        if lower == b"authorization":
            continue
        if lower == b"upload-concat":
            kept.append((name, _without_capabilities(value)))
        elif len(value) < _LEAST_TOKEN or not _TOKEN.search(value):
            kept.append((name, value))
    return kept


def _without_capabilities(value: bytes) -> bytes:
    """Cut what follows the first dot in the last segment of each URL."""
    pieces = value.decode("latin-1").split(" ")
    bare = " ".join(map(_without_capability, pieces)).encode("latin-1")
    # Such as one in what precedes a query.
    return _TOKEN.sub(b"", bare)


def _without_capability(url: str) -> str:
    front, slash, segment = url.rpartition("/")
    return f"{front}{slash}{segment.partition('.')[0]}"


def scrubbed(path: str) -> str:
    """A path that leads elsewhere, without what may be a token in it."""
    return "/".join(map(_without_ending, path.split("/")))


def _without_ending(segment: str) -> str:
    # A dot may be percent-encoded once more.
    bare = _NO_ID.split(segment, maxsplit=1)[0]
    return bare if len(segment) - len(bare) > _LEAST_SIGNATURE else segment


def scrubbed_query(query: bytes) -> bytes:
    """A query without tokens; no request needs any there."""
    return _TOKEN.sub(b"", query)


def scrubbed_parameters(
    parameters: Mapping[str, object], rest: str, bare: str
) -> dict[str, object]:
    """Parameters that a router took from the path, without the token."""
    return {
        name: value.replace(rest, bare) if isinstance(value, str) and rest else value
        for name, value in parameters.items()
    }
