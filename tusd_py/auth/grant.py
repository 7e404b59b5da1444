"""Creation grants: ``g1.<key id>.<claims>.<signature>``."""

import re
from typing import Final

from tusd_py.errors import Refusal, TokenRefused

from .claims import Grant, read_claims, write_claims
from .encoding import decode, encode, format_object, parse_object
from .keys import KEY_ID, KeyRing, Purpose
from .tokens import CLAIMS, MOST_CHARACTERS, SIGNATURE, SKEW, check_end, match_token

MOST_LIFETIME: Final = 900
"""How many seconds a grant may hold by default: a quarter of an hour."""

_TOKEN = re.compile(rf"(g1\.({KEY_ID})\.({CLAIMS}))\.({SIGNATURE})")


def sign_grant(grant: Grant, keys: KeyRing) -> str:
    """Write a grant as a token, signed with the signing key.

    Raises:
        ValueError: The token would be longer than any server takes.
    """
    claims = encode(format_object(write_claims(grant)).encode())
    signed = f"g1.{keys.signing}.{claims}"
    token = f"{signed}.{keys.sign(Purpose.CREATE, signed)}"
    if len(token) > MOST_CHARACTERS:
        raise ValueError(
            f"The grant has {len(token)} characters, and {MOST_CHARACTERS} are the most: "
            "it fixes too much metadata."
        )
    return token


def verify_grant(
    token: str,
    keys: KeyRing,
    now: float,
    *,
    skew: float = SKEW,
    max_lifetime: float = MOST_LIFETIME,
) -> Grant:
    """Read a grant that one of the keys signed and that holds now.

    Nothing of what it says is looked at before its signature is known to be good.

    Args:
        token: As it was presented.
        keys: The server's; the token says which one of them.
        now: Unix time in seconds.
        skew: By how many seconds the clocks may differ.
        max_lifetime: How many seconds may lie between beginning and end.

    Raises:
        TokenRefused: It does not hold; the error says why.
    """
    match = match_token(_TOKEN, token)
    signed, key_id, claims, signature = match.groups()
    keys.check(Purpose.CREATE, key_id, signed, signature)
    try:
        grant = read_claims(parse_object(decode(claims).decode()), key_id)
    except ValueError:
        grant = None
    if grant is None:
        raise TokenRefused(Refusal.MALFORMED, key_id)
    if grant.expires - grant.not_before > max_lifetime:
        raise TokenRefused(Refusal.LIVES_TOO_LONG, key_id)
    if now < grant.not_before - skew:
        raise TokenRefused(Refusal.NOT_YET_VALID, key_id)
    check_end(grant.expires, now, skew, key_id)
    return grant
