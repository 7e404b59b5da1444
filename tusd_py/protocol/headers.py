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

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})"
_DATES = (
    # Sun, 06 Nov 1994 08:49:37 GMT
    re.compile(rf"[A-Z][a-z]{{2}}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT"),
    # Sunday, 06-Nov-94 08:49:37 GMT
    re.compile(rf"[A-Z][a-z]+, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"),
    # Sun Nov  6 08:49:37 1994
    re.compile(rf"[A-Z][a-z]{{2}} {_MONTH} (?P<day>[ 0-9][0-9]) {_TIME} (?P<year>[0-9]{{4}})"),
)
_SHORT_YEAR = 2


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


def format_date(timestamp: float) -> str:
    """Format Unix time in seconds as RFC 9110, 5.6.7 wants dates."""
    return format_datetime(datetime.fromtimestamp(int(timestamp), UTC), usegmt=True)


def parse_date(value: str) -> int | None:
    """Read a date in one of the three forms of RFC 9110, 5.6.7; None if it is none.

    Returns:
        Unix time in seconds.
    """
    found = next(filter(None, (form.fullmatch(value) for form in _DATES)), None)
    if found is None:
        return None
    year = int(found["year"])
    if len(found["year"]) == _SHORT_YEAR:
        # As POSIX reads them.
        year += 1900 if year >= 69 else 2000  # noqa: PLR2004
    hour, minute, second = map(int, found["time"].split(":"))
    try:
        month, day = _MONTHS.index(found["month"]) + 1, int(found["day"])
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp())


def body_announced(headers: Mapping[str, str]) -> bool:
    """The request says that it has a body: with a length above zero, or chunked."""
    if "transfer-encoding" in headers:
        return True
    return headers.get("content-length", "0").strip("0") != ""
