"""The ``Upload-Metadata`` codec.

The raw value is what is stored and echoed; decoding serves the application and downloads.
"""

import binascii
from base64 import b64encode
from collections.abc import Mapping

from tusd_py.errors import InvalidHeader

NAME = "Upload-Metadata"


def parse_metadata(value: str) -> dict[str, bytes]:
    """Decode the pairs of an ``Upload-Metadata`` value, in order.

    Takes what real clients send beyond the letter of the specification: an empty value, a key
    followed by a space and nothing, a space after a comma.

    Raises:
        InvalidHeader: 400, an empty or repeated key, more than one space in a pair, a value that
            is not padded standard Base64, or a character outside printable ASCII.
    """
    if not value.strip(" "):
        return {}
    if not (value.isascii() and value.isprintable()):
        raise InvalidHeader(NAME, "must be printable ASCII")
    pairs: dict[str, bytes] = {}
    for pair in value.split(","):
        key, encoded = _split(pair)
        # clause creation.metadata-unique
        if key in pairs:
            raise InvalidHeader(NAME, f"repeats the key {key!r}")
        pairs[key] = _decode(key, encoded)
    return pairs


def format_metadata(pairs: Mapping[str, bytes]) -> str:
    """Encode pairs as an ``Upload-Metadata`` value.

    Raises:
        InvalidHeader: 400, a key is empty or has a space, a comma or a character outside
            printable ASCII.
    """
    for key in pairs:
        if not key or not (key.isascii() and key.isprintable()) or " " in key or "," in key:
            raise InvalidHeader(NAME, "must have keys of printable ASCII, no space, no comma")
    return ",".join(
        f"{key} {b64encode(value).decode()}" if value else key for key, value in pairs.items()
    )


def text_of(pairs: Mapping[str, bytes]) -> dict[str, str]:
    """The pairs with their values as text; bytes that are not UTF-8 are replaced."""
    return {key: value.decode("utf-8", "replace") for key, value in pairs.items()}


def _split(pair: str) -> tuple[str, str]:
    key, *rest = pair.removeprefix(" ").split(" ")
    # clause creation.metadata-key
    if not key:
        raise InvalidHeader(NAME, "has an empty key")
    if len(rest) > 1:
        raise InvalidHeader(NAME, f"has more than one space in the pair of the key {key!r}")
    return key, rest[0] if rest else ""


def _decode(key: str, encoded: str) -> bytes:
    # clause creation.metadata-base64
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except binascii.Error:
        raise InvalidHeader(NAME, f"has a value that is not Base64 for the key {key!r}") from None
