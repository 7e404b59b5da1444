"""The test vectors of docs/reference/tokens.md, as the code makes them."""

import json
import re
from typing import Any

from tusd_py.auth.capability import Capability, sign_capability, verify_capability
from tusd_py.auth.claims import read_claims
from tusd_py.auth.encoding import encode
from tusd_py.auth.grant import sign_grant, verify_grant
from tusd_py.auth.keys import Key, KeyRing, KeyState, Purpose, derive
from tusd_py.auth.rights import rights_named
from tusd_py.errors import TokenRefused

NOW = 1_800_000_000
SECRETS = {"k1": bytes(range(32)), "k2": bytes(range(255, 207, -1))}
RING = KeyRing([Key("k1", SECRETS["k1"]), Key("k2", SECRETS["k2"], KeyState.VERIFYING)])

_COMMON: dict[str, Any] = {"nbf": NOW, "exp": NOW + 900}
_GRANTS: list[dict[str, Any]] = [
    {"jti": encode(bytes(range(16))), "sub": "alice", **_COMMON, "max": 10_000_000},
    {
        "jti": encode(bytes(range(240, 256))),
        "sub": "Bjørn <b@example.org> & 日本",
        "nbf": NOW,
        "exp": NOW + 60,
        "len": 0,
        "uploads": 2,
        "parts": 8,
        "can": ["HEAD", "PATCH", "GET", "DELETE"],
        "meta": {"filename": 'große "Datei".bin', "note": ""},
        "allow": ["filetype"],
        "path": "/files/",
    },
]
_UPLOAD_ID = "018cc251f40000112233445566778899aabbccddeeff"
_CAPABILITIES: list[dict[str, Any]] = [
    {
        "upload": _UPLOAD_ID,
        "rights": ["HEAD", "PATCH", "DELETE-UNFINISHED"],
        "expires": NOW + 604_800,
        "subject": "alice",
    },
    {
        "upload": "x-_Z",
        "rights": ["HEAD", "GET", "DELETE"],
        "expires": 253_402_300_799,
        "subject": "日本",
    },
]


def vectors() -> dict[str, Any]:
    """Everything that another program needs to check itself."""
    return {
        "secrets": {key_id: encode(secret) for key_id, secret in SECRETS.items()},
        "derived": {
            key_id: {purpose.value.decode(): derive(secret, purpose).hex() for purpose in Purpose}
            for key_id, secret in SECRETS.items()
        },
        "grants": [
            {"key": key_id, "claims": claims, "token": _grant(key_id, claims)}
            for key_id, claims in zip(SECRETS, _GRANTS, strict=True)
        ],
        "capabilities": [
            {"key": key_id, **claims, "token": _capability(key_id, claims)}
            for key_id, claims in zip(SECRETS, _CAPABILITIES, strict=True)
        ],
        "refused": [
            {"why": why, "now": now, "token": token, "reason": _reason(token, now)}
            for why, now, token in _refused()
        ],
    }


def in_page(page: str) -> str:
    """The JSON of the vectors that a page holds."""
    (block,) = re.findall(r"```json vectors\n(.*?)```", page, flags=re.DOTALL)
    return str(block)


def with_vectors(page: str) -> str:
    """A page with its vectors as they should be."""
    return page.replace(in_page(page), written())


def written() -> str:
    """The vectors as JSON for a page."""
    return json.dumps(vectors(), indent=2, ensure_ascii=False) + "\n"


def _ring(key_id: str) -> KeyRing:
    return KeyRing([Key(key_id, SECRETS[key_id])])


def _grant(key_id: str, claims: dict[str, Any]) -> str:
    return sign_grant(read_claims(claims), _ring(key_id))


def _capability(key_id: str, claims: dict[str, Any]) -> str:
    capability = Capability(
        upload_id=claims["upload"],
        subject=claims["subject"],
        expires=claims["expires"],
        rights=rights_named(claims["rights"]),
    )
    return sign_capability(capability, _ring(key_id))


def _signed_grant(claims: str) -> str:
    signed = f"g1.k1.{encode(claims.encode())}"
    return f"{signed}.{RING.sign(Purpose.CREATE, signed)}"


def _refused() -> list[tuple[str, int, str]]:
    grant, capability = _grant("k1", _GRANTS[0]), _capability("k1", _CAPABILITIES[0])
    text = json.dumps(_GRANTS[0], separators=(",", ":"))
    return [
        ("its end and the skew are over", NOW + 905, grant),
        ("its beginning is further away than the skew", NOW - 6, grant),
        ("the id of another key", NOW, grant.replace(".k1.", ".k2.")),
        ("the id of no key", NOW, grant.replace(".k1.", ".k3.")),
        ("padding", NOW, f"{grant}="),
        ("the other way to write the last character", NOW, _last_bit_flipped(grant)),
        ("a capability's signature", NOW, grant[:-43] + capability[-43:]),
        ("a name that stands twice", NOW, _signed_grant(text[:-1] + ',"max":5}')),
        ("a number with a point", NOW, _signed_grant(text.replace("10000000", "1.0"))),
        ("a claim that is unknown", NOW, _signed_grant(text[:-1] + ',"admin":true}')),
        ("an hour of life", NOW, _signed_grant(text.replace(str(NOW + 900), str(NOW + 3600)))),
        ("the id of another upload", NOW, capability.replace("aabb", "aabc")),
        ("a grant where a capability belongs", NOW, f"{_UPLOAD_ID}{grant[2:]}"),
        ("the end of a capability and the skew are over", NOW + 604_805, capability),
    ]


def _last_bit_flipped(token: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def _reason(token: str, now: int) -> str:
    verify = verify_grant if token.startswith("g1.") else verify_capability
    try:
        verify(token, RING, now)
    except TokenRefused as error:
        return error.reason.value
    raise AssertionError("It was to be refused.")
