"""Conditional requests: is there what a client has, or expects? See RFC 9110, 13.

Only a stored upload is judged, whose bytes never change: equal dates mean equal bytes, so that a
date is a strong validator here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tusd_py.errors import PreconditionFailed

from .headers import parse_date

_ETAG = re.compile(r'(?:W/)?"[!#-~\x80-\xff]*"')
_ANY = "*"


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells one state of a download from another.

    Attributes:
        etag: A strong entity tag, with its quotation marks.
        modified: Unix time in whole seconds; None if it is not known.
    """

    etag: str
    modified: int | None


def not_modified(headers: Mapping[str, str], current: Validators) -> bool:
    """Judge the preconditions of a GET, in the order of RFC 9110, 13.2.2; True is a 304.

    Raises:
        PreconditionFailed: 412.
    """
    _check_match(headers, current)
    none_match = headers.get("if-none-match")
    if none_match is not None:
        return none_match == _ANY or current.etag in _opaque(none_match)
    since = parse_date(headers.get("if-modified-since", ""))
    return since is not None and current.modified is not None and current.modified <= since


def range_applies(headers: Mapping[str, str], current: Validators) -> bool:
    """Tell whether ``If-Range`` lets a ``Range`` count; without it, that always does."""
    value = headers.get("if-range")
    if value is None or value == current.etag:
        return True
    return current.modified is not None and parse_date(value) == current.modified


def _check_match(headers: Mapping[str, str], current: Validators) -> None:
    match = headers.get("if-match")
    if match is not None:
        # Compared strongly: a weak tag matches nothing.
        if match != _ANY and current.etag not in _ETAG.findall(match):
            raise PreconditionFailed
        return
    since = parse_date(headers.get("if-unmodified-since", ""))
    if since is not None and current.modified is not None and current.modified > since:
        raise PreconditionFailed


def _opaque(tags: str) -> list[str]:
    return [tag.removeprefix("W/") for tag in _ETAG.findall(tags)]
