"""JSON Web Tokens: what holds gives its subject, and what does not is refused with a reason."""

import hmac
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import jwt
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from structlog.testing import capture_logs
from structlog.typing import EventDict

from tests.unit.auth.samples import NOW, OLD_SECRET, SECRET
from tusd_py import Reject, Request
from tusd_py.auth import JwtKey, JwtSubject
from tusd_py.auth.encoding import encode
from tusd_py.errors import ConfigError

PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
CURVE = ec.generate_private_key(ec.SECP256R1())
CURVE_PUBLIC = CURVE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
CLAIMS = {"sub": "alice", "aud": "uploads", "exp": NOW + 60}
RING = {"a": JwtKey("HS256", SECRET), "b": JwtKey("RS256", PUBLIC)}


def token(key: Any = SECRET, algorithm: str = "HS256", kid: Any = None, **claims: Any) -> str:  # noqa: ANN401
    """A token of alice's; a claim that is None is left out."""
    said = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    headers = None if kid is None else {"kid": kid}
    return jwt.encode(said, key, algorithm, headers=headers)


def by_hand(header: bytes, payload: bytes | None = None, key: bytes = SECRET) -> str:
    """A token with an HMAC of SHA-256, of what no library would sign."""
    payload = json.dumps(CLAIMS).encode() if payload is None else payload
    text = f"{encode(header)}.{encode(payload)}"
    return f"{text}.{encode(hmac.digest(key, text.encode(), sha256))}"


def of(authorization: str | None) -> Request:
    headers = {} if authorization is None else {"authorization": authorization}
    return Request(method="POST", path="/files/", upload_id=None, headers=headers, client="::1")


def subject_of(keys: Any = RING["a"], **settings: Any) -> JwtSubject:  # noqa: ANN401
    return JwtSubject(keys, **{"audience": "uploads", "clock": lambda: NOW, **settings})


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    structlog.configure()
    with capture_logs() as lines:
        yield lines
    structlog.reset_defaults()


async def reason(logged: list[EventDict], auth: JwtSubject, sent: str) -> tuple[str, Any]:
    """Why a token is refused, after a look at what is told of it."""
    logged.clear()
    with pytest.raises(Reject) as refused:
        await auth(of(f"Bearer {sent}"))
    assert 403 == refused.value.status
    (line,) = logged
    assert ("auth.refused", "POST", "/files/", "::1") == (
        line["event"],
        line["method"],
        line["path"],
        line["client"],
    )
    told = f"{line} {refused.value} {refused.value.headers}"
    assert not [part for part in sent.split(".") if len(part) > 20 and part in told]
    return line["reason"], line["key_id"]


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        (JwtKey("HS256", SECRET), token()),
        (JwtKey("RS256", PUBLIC), token(PRIVATE, "RS256")),
        (JwtKey("ES256", CURVE_PUBLIC), token(CURVE, "ES256")),
        (JwtKey("HS256", SECRET), token(aud=["others", "uploads"], nbf=NOW, kid="any")),
    ],
)
async def test_a_good_token_gives_its_subject(key: JwtKey, sent: str) -> None:
    assert "alice" == await subject_of(key)(of(f"Bearer {sent}"))
    assert "alice" == await subject_of(key)(of(f"bearer  {sent} "))


async def test_the_key_is_the_one_that_the_token_names() -> None:
    auth = subject_of(RING)

    assert "alice" == await auth(of(f"Bearer {token(kid='a')}"))
    assert "alice" == await auth(of(f"Bearer {token(PRIVATE, 'RS256', 'b')}"))


@pytest.mark.parametrize("sent", [None, "", "Bearer", "Basic YWxpY2U6", "Basic x,Bearer y", "x"])
async def test_without_a_token_nobody_is_known(logged: list[EventDict], sent: str | None) -> None:
    assert await subject_of()(of(sent)) is None
    assert [] == logged


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "others"}, "audience"),
        ({"aud": ["others"]}, "audience"),
        ({"aud": {"uploads": 1}}, "audience"),
        ({"aud": None}, "claims"),
        ({"aud": []}, "claims"),
        ({"exp": None}, "claims"),
        ({"exp": str(NOW + 60)}, "claims"),
        ({"exp": True}, "claims"),
        ({"exp": [NOW]}, "claims"),
        ({"exp": float("nan")}, "expired"),
        ({"exp": NOW - 5}, "expired"),
        ({"exp": 0}, "expired"),
        ({"nbf": NOW + 6}, "not-yet-valid"),
        ({"nbf": "soon"}, "claims"),
        ({"sub": None}, "claims"),
        ({"sub": ""}, "claims"),
        ({"sub": "a\nb"}, "claims"),
        ({"sub": "a" * 257}, "claims"),
    ],
)
async def test_claims_that_do_not_hold_are_refused(
    logged: list[EventDict], claims: dict[str, Any], why: str
) -> None:
    assert (why, None) == await reason(logged, subject_of(), token(**claims))


async def test_a_subject_is_text(logged: list[EventDict]) -> None:
    sent = by_hand(b'{"alg":"HS256"}', json.dumps({**CLAIMS, "sub": 7}).encode())

    assert ("claims", None) == await reason(logged, subject_of(), sent)


async def test_clocks_may_differ_by_five_seconds() -> None:
    for sent in (token(exp=NOW - 4), token(nbf=NOW + 5), token(exp=10**400)):
        assert "alice" == await subject_of()(of(f"Bearer {sent}"))


async def test_an_issuer_can_be_wanted(logged: list[EventDict]) -> None:
    auth = subject_of(issuer="https://login.example")

    assert "alice" == await auth(of(f"Bearer {token(iss='https://login.example')}"))
    assert ("issuer", None) == await reason(logged, auth, token(iss="https://other.example"))
    assert ("claims", None) == await reason(logged, auth, token())


async def test_the_algorithm_is_never_the_tokens_choice(logged: list[EventDict]) -> None:
    public = subject_of(JwtKey("RS256", PUBLIC))
    unsigned = jwt.encode(CLAIMS, "", "none")
    as_secret = by_hand(b'{"alg":"HS256","typ":"JWT"}', key=PUBLIC)

    assert ("malformed", None) == await reason(logged, public, unsigned)
    assert ("algorithm", None) == await reason(logged, public, f"{unsigned}AAAA")
    assert ("algorithm", None) == await reason(logged, public, as_secret)
    assert ("algorithm", None) == await reason(
        logged, public, by_hand(b'{"alg":"HS256"}', key=PUBLIC.strip())
    )
    assert ("algorithm", None) == await reason(logged, subject_of(), token(SECRET * 2, "HS512"))
    assert ("algorithm", "a") == await reason(
        logged, subject_of(RING), token(PRIVATE, "RS256", "a")
    )


async def test_another_keys_signature_is_none(logged: list[EventDict]) -> None:
    assert ("bad-signature", None) == await reason(logged, subject_of(), token(OLD_SECRET))
    assert ("bad-signature", "a") == await reason(
        logged, subject_of(RING), token(OLD_SECRET, kid="a")
    )


@pytest.mark.parametrize("kid", [None, "c", "", "a\n"])
async def test_a_key_that_is_not_there_is_refused_and_not_named(
    logged: list[EventDict], kid: str | None
) -> None:
    assert ("unknown-key", None) == await reason(logged, subject_of(RING), token(kid=kid))


GARBAGE = [
    "x",
    "..",
    "a.b.c",
    "a.b",
    "a.b.c.d",
    f"{token()}.",
    f"{token()}=",
    f"{token()},Bearer {token()}",
    f"{token()} {token()}",
    f"{token()}é",
    by_hand(b"[]"),
    by_hand(b"\xff"),
    by_hand(b'{"alg":"HS256","kid":7}'),
    by_hand(b'{"alg":"HS256","kid":"a","crit":["x"],"x":1}'),
    by_hand(b"[" * 5000),
    by_hand(b'{"alg":"HS256","kid":"a"}', b"[]"),
    by_hand(b'{"alg":"HS256","kid":"a"}', b"[" * 5000),
    by_hand(b'{"alg":"HS256","kid":"a"}', b"\xff"),
    "a" * 2**20,
    f"{token(kid='a', sub='a' * 2**20)}",
    f"{encode(b' ' * 2**20)}.e30.AAAA",
]


@pytest.mark.parametrize("sent", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.parametrize("keys", [RING["a"], RING], ids=["one", "several"])
async def test_what_is_no_token_is_refused(logged: list[EventDict], keys: Any, sent: str) -> None:  # noqa: ANN401
    why, _ = await reason(logged, subject_of(keys), sent)
    assert "malformed" == why


async def test_no_character_can_be_another_one() -> None:
    sent, auth = token(), subject_of()
    for place, character in enumerate(sent):
        # The last character's low bits are no part of the signature, and have to be zero.
        other = "B" if character == "A" else "A"
        with pytest.raises(Reject):
            await auth(of(f"Bearer {sent[:place]}{other}{sent[place + 1 :]}"))


@pytest.mark.parametrize(
    "key",
    [
        JwtKey("none", ""),
        JwtKey("HS256", b"short"),
        JwtKey("HS256", PUBLIC),
        JwtKey("RS256", "no key in PEM"),
        JwtKey("RS256", CURVE_PUBLIC),
        JwtKey("XS256", SECRET),
    ],
)
def test_a_key_has_to_fit_its_algorithm(key: JwtKey) -> None:
    for keys in (key, {"k": key}):
        with pytest.raises(ConfigError):
            subject_of(keys)


@pytest.mark.parametrize("audience", ["", [], [""]])
def test_there_is_an_audience(audience: str | list[str]) -> None:
    with pytest.raises(ConfigError):
        subject_of(audience=audience)


def test_there_is_a_key() -> None:
    with pytest.raises(ConfigError):
        subject_of({})


def test_a_key_does_not_show_its_secret() -> None:
    assert SECRET.decode() not in repr(RING)
