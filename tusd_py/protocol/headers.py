"""Codecs of single header values. Bad values raise ``InvalidHeader`` (400)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

from tusd_py.errors import InvalidHeader

VERSION = "1.0.0"
OFFSET_TYPE = "application/offset+octet-stream"
MAX_INTEGER = 2**63 - 1

# Nineteen digits hold 2**63 - 1. int() alone would take "+5", "1_000", " 5" and other scripts'
# digits.
_INTEGER = re.compile(r"0*[0-9]{1,19}", re.ASCII)


def parse_bytes(headers: Mapping[str, str], name: str) -> int | None:
    """Read a non-negative number of bytes; None if the header is absent.

    Raises:
        InvalidHeader: 400, not a non-negative integer of at most 2**63 - 1, or sent twice.
    """
    value = headers.get(name.lower())
    if value is None:
        return None
    if not _INTEGER.fullmatch(value) or (number := int(value)) > MAX_INTEGER:
        raise InvalidHeader(name, "must be a non-negative integer")
    return number


def media_type(headers: Mapping[str, str]) -> str:
    """The content type without parameters, in lower case; empty if the header is absent."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def format_expires(timestamp: float) -> str:
    """Format Unix time in seconds for ``Upload-Expires``, as RFC 9110, 5.6.7 wants dates."""
    return format_datetime(datetime.fromtimestamp(int(timestamp), UTC), usegmt=True)


def body_announced(headers: Mapping[str, str]) -> bool:
    """The request says that it has a body: with a length above zero, or chunked."""
    if "transfer-encoding" in headers:
        return True
    return headers.get("content-length", "0").strip("0") != ""
