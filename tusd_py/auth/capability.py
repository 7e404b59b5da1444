"""Upload capabilities: ``<upload id>.<key id>.<claims>.<signature>``, one segment of a URL's path.

The claims are bytes and no JSON, for they are in every URL and are read with every request: one
byte of rights, five of the end in Unix seconds, most significant first, and the subject in UTF-8.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from tusd_py.errors import Refusal, TokenRefused

from .encoding import decode, encode
from .keys import KEY_ID, KeyRing, Purpose
from .rights import Rights, allows
from .tokens import (
    CLAIMS,
    SIGNATURE,
    SKEW,
    check_end,
    check_second,
    check_subject,
    match_token,
)

_UPLOAD_ID = r"[A-Za-z0-9_-]{1,128}"
_ID = re.compile(_UPLOAD_ID)
_TOKEN = re.compile(rf"(({_UPLOAD_ID})\.({KEY_ID})\.({CLAIMS}))\.({SIGNATURE})")
# Capabilities of good signature, at about 1 KiB each.
_REMEMBERED = 4096
# It is no part of the token, but of what is signed.
_VERSION = "c1."
_RIGHTS = slice(0, 1)
_END = slice(1, 6)
_SUBJECT = slice(6, None)


# Not frozen, like a grant.
@dataclass(slots=True, kw_only=True)
class Capability:
    """Leave to go on with one upload.

    Raises:
        ValueError: A claim is not of its form.
    """

    upload_id: str
    """Of the upload: 1 to 128 letters, digits, ``_`` or ``-``."""

    subject: str
    """Whose the upload is: 1 to 256 characters, no control characters."""

    expires: int
    """When it ends at the latest, in Unix seconds; the upload may expire before."""

    rights: Rights
    """What may be done with the upload."""

    key_id: str | None = field(default=None, compare=False)
    """The key that signed it; ``None`` before that."""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.upload_id):
            raise ValueError("The id of an upload has 1 to 128 letters, digits, _ or -.")
        check_subject(self.subject)
        check_second("expires", self.expires)
        if not self.rights:
            raise ValueError("The holder of an upload can do at least one thing.")

    def allows(self, method: str, *, finished: bool) -> bool:
        """Tell whether it is enough for an effective method, in upper case.

        ``finished`` is whether the upload is complete. A ``PATCH`` may come after that, too: it can
        change nothing.
        """
        return allows(self.rights, method, finished=finished)


def sign_capability(capability: Capability, keys: KeyRing, key_id: str | None = None) -> str:
    """Write a capability as a segment of a path, signed with a key or else the signing one."""
    raw = b"%c%b%b" % (
        capability.rights.value,
        capability.expires.to_bytes(5, "big"),
        capability.subject.encode(),
    )
    signed = f"{capability.upload_id}.{key_id or keys.signing}.{encode(raw)}"
    return f"{signed}.{keys.sign(Purpose.UPLOAD, _VERSION + signed, key_id)}"


def verify_capability(segment: str, keys: KeyRing, now: float, *, skew: float = SKEW) -> Capability:
    """Read a capability that one of the keys signed and that has not ended.

    Args:
        segment: Of the path, as it was sent: nothing percent-decoded.
        keys: The server's; the segment says which one of them.
        now: Unix time in seconds.
        skew: By how many seconds the clocks may differ.

    Raises:
        TokenRefused: It does not hold; the error says why.
    """
    capability = _signed(segment, keys)
    check_end(capability.expires, now, skew, capability.key_id)
    return capability


# An upload's URL comes with each of its requests, and a ring never changes.
@lru_cache(maxsize=_REMEMBERED)
def _signed(segment: str, keys: KeyRing) -> Capability:
    match = match_token(_TOKEN, segment)
    signed, upload_id, key_id, claims, signature = match.groups()
    keys.check(Purpose.UPLOAD, key_id, _VERSION + signed, signature)
    try:
        capability = _read(upload_id, key_id, decode(claims))
    except ValueError:
        capability = None
    if capability is None:
        raise TokenRefused(Refusal.MALFORMED, key_id)
    return capability


def _read(upload_id: str, key_id: str, raw: bytes) -> Capability:
    # A bit that stands for no right is a ValueError as well.
    return Capability(
        upload_id=upload_id,
        subject=raw[_SUBJECT].decode(),
        expires=int.from_bytes(raw[_END]),
        rights=Rights(int.from_bytes(raw[_RIGHTS])),
        key_id=key_id,
    )
