"""Base64url and JSON, each in the one form that tokens take.

What is refused raises ``ValueError`` with a sentence that repeats nothing of the text.
"""

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def encode(raw: bytes) -> str:
    """Write bytes as base64url without padding."""
    return b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Read base64url without padding.

    Raises:
        ValueError: ``encode`` would have written it differently: it has padding, another character,
            or bits set in its last character that stand for nothing.
    """
    try:
        raw = a2b_base64((text + "=" * (-len(text) % 4)).encode().translate(_FROM_URL))
    except ValueError:
        raw = None
    # Python skips what is no base64, so only writing it again tells.
    if raw is None or encode(raw) != text:
        raise ValueError("This is not base64url without padding.")
    return raw


def parse_object(text: str) -> dict[str, object]:
    """Read a JSON object that has each name once and no number but whole ones.

    Raises:
        ValueError: It is none.
    """
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ValueError("This is not a JSON object of the required form.")  # noqa: TRY004
    return value


def format_object(members: dict[str, object]) -> str:
    """Write a JSON object: no space, members in their order, characters as they are."""
    return json.dumps(members, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _members(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("A name stands twice.")
    return members


def _refuse_number(_: str) -> object:
    raise ValueError("A number is not whole.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_refuse_number, parse_constant=_refuse_number
)
