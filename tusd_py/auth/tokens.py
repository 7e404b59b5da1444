"""What grants and capabilities have in common."""

import re
from typing import Final

from tusd_py.errors import Refusal, TokenRefused

MOST_CHARACTERS: Final = 4096
"""A longer token is refused before anything else is looked at."""

SKEW: Final = 5.0
"""By how many seconds the clocks of who signs and who verifies may differ."""

LATEST: Final = 253_402_300_799
"""The last second of the year 9999, for times in tokens."""

SIGNATURE: Final = r"[A-Za-z0-9_-]{43}"
CLAIMS: Final = r"[A-Za-z0-9_-]+"
# C0, DEL and C1, and halves of characters, which UTF-8 cannot write.
_SUBJECT = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,256}")


def check_subject(subject: object) -> None:
    """Let a subject through: 1 to 256 characters, none of them for control.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise ValueError("The subject has 1 to 256 characters and no control characters.")


def check_second(name: str, value: object) -> None:
    """Let a time in whole Unix seconds through.

    Raises:
        ValueError: It is none between 1970 and 9999.
    """
    if type(value) is not int or not 0 <= value <= LATEST:
        raise ValueError(f"{name} is a time in whole Unix seconds.")


def match_token(pattern: re.Pattern[str], token: str) -> re.Match[str]:
    """Take a token apart.

    Raises:
        TokenRefused: It is too long, or not of this form.
    """
    match = pattern.fullmatch(token) if len(token) <= MOST_CHARACTERS else None
    if match is None:
        raise TokenRefused(Refusal.MALFORMED)
    return match


def check_end(expires: int, now: float, skew: float, key_id: str | None) -> None:
    """Refuse a token at its end: from ``expires`` plus the skew on.

    Raises:
        TokenRefused: It has expired.
    """
    if now >= expires + skew:
        raise TokenRefused(Refusal.EXPIRED, key_id)
