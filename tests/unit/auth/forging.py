"""Tokens that are signed well and say anything, and tokens that were altered."""

from collections.abc import Iterator

from tusd_py.auth.encoding import encode
from tusd_py.auth.keys import KeyRing, Purpose
from tusd_py.errors import Refusal, TokenRefused

# Of the alphabet, beside it, and what Unicode or a percent sign could be taken for.
_OTHERS = "aA0_-.~=+/% \n\0\x7fé\N{KELVIN SIGN}\N{FULLWIDTH FULL STOP}"


def signed_grant(claims: str | bytes, ring: KeyRing) -> str:
    """A grant with a good signature, whatever its claims are."""
    raw = claims.encode() if isinstance(claims, str) else claims
    signed = f"g1.{ring.signing}.{encode(raw)}"
    return f"{signed}.{ring.sign(Purpose.CREATE, signed)}"


def signed_capability(upload_id: str, claims: bytes, ring: KeyRing) -> str:
    """A capability with a good signature, whatever its claims are."""
    signed = f"{upload_id}.{ring.signing}.{encode(claims)}"
    return f"{signed}.{ring.sign(Purpose.UPLOAD, f'c1.{signed}')}"


def altered(token: str) -> Iterator[str]:
    """Every token that differs from this one at a single place, in ways that matter."""
    for at, character in enumerate(token):
        before, after = token[:at], token[at + 1 :]
        yield before + after
        yield before + character + character + after
        yield before + character.swapcase() + after
        yield f"{before}%{ord(character):02x}{after}"
        yield f"{before}%{ord(character):02X}{after}"
        for other in _OTHERS:
            yield before + other + after
            yield before + other + character + after
    for end in ("=", "==", ".", " ", "\n", "\0", "A", "%00", "/", "?", "#", "," + token):
        yield token + end
        yield end + token


def refusal_of(error: TokenRefused) -> Refusal:
    """Why, after a look at the error: it repeats nothing of the token but the key's id."""
    assert str(error) == TokenRefused.TEXTS[error.reason]
    return error.reason
