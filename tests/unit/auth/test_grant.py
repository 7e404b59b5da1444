"""A creation grant holds for as long as it says, if a key that is known signed it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.auth.forging import altered, refusal_of, signed_grant
from tests.unit.auth.samples import (
    CAPABILITY,
    GRANT,
    NOW,
    RETIRED,
    RING,
    SECRET,
    SIGNING,
    VERIFYING,
    ring_of,
)
from tusd_py.auth.capability import sign_capability
from tusd_py.auth.claims import Grant, write_claims
from tusd_py.auth.encoding import encode
from tusd_py.auth.grant import sign_grant, verify_grant
from tusd_py.auth.keys import Key
from tusd_py.auth.rights import Rights
from tusd_py.errors import Refusal, TokenRefused

TOKEN = sign_grant(GRANT, RING)
CLAIMS: dict[str, Any] = write_claims(GRANT)
ALL_CLAIMS: dict[str, Any] = {
    **CLAIMS,
    "uploads": 2,
    "parts": 3,
    "can": ["HEAD"],
    "meta": {"a": "b"},
    "allow": ["c"],
    "path": "/files/",
}

SUBJECTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=256)
NAMES = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","),
    min_size=1,
    max_size=20,
)
LENGTHS = st.integers(0, 2**63 - 1)
GRANTS = st.builds(
    Grant,
    id=st.binary(min_size=16, max_size=16).map(encode),
    subject=SUBJECTS,
    not_before=st.just(NOW),
    expires=st.integers(NOW + 1, NOW + 900),
    length=LENGTHS,
    uploads=st.integers(1, 1_000_000),
    parts=st.integers(0, 1_000_000),
    can=st.integers(1, 31).map(Rights),
    metadata=st.dictionaries(
        NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=5
    ),
    allowed_metadata=st.none() | st.lists(NAMES, unique=True, max_size=5).map(tuple),
    path=st.sampled_from([None, "/", "/files/", "/a%20b/~"]),
)


def refusal(token: str, now: float = NOW, **limits: float) -> Refusal:
    with pytest.raises(TokenRefused) as raised:
        verify_grant(token, RING, now, **limits)
    return refusal_of(raised.value)


@given(GRANTS)
def test_what_was_granted_is_read(grant: Grant) -> None:
    read = verify_grant(sign_grant(grant, RING), RING, NOW)

    assert (grant, "new") == (read, read.key_id)


def test_a_maximal_length_is_read_as_such() -> None:
    read = verify_grant(TOKEN, RING, NOW)

    assert (None, 10_000_000) == (read.length, read.max_length)


def test_defaults_need_not_be_said() -> None:
    assert ["jti", "sub", "nbf", "exp", "max"] == list(CLAIMS)
    assert GRANT == verify_grant(signed_grant(json.dumps(CLAIMS), RING), RING, NOW)


def test_a_key_that_verifies_is_as_good_as_the_one_that_signs() -> None:
    read = verify_grant(sign_grant(GRANT, ring_of(VERIFYING)), RING, NOW)

    assert (GRANT, "old") == (read, read.key_id)


def test_a_token_altered_at_any_position_is_refused() -> None:
    passed = []
    for token in altered(TOKEN):
        try:
            verify_grant(token, RING, NOW)
        except TokenRefused:
            continue
        passed.append(token)

    # What replaces a character may be that character.
    assert {TOKEN} == {*passed}


@given(GRANTS, st.data())
def test_any_grant_altered_anywhere_is_refused(grant: Grant, data: st.DataObject) -> None:
    token = sign_grant(grant, RING)
    at = data.draw(st.integers(0, len(token) - 1))
    until = data.draw(st.integers(at, len(token)))
    new = token[:at] + data.draw(st.text(max_size=8)) + token[until:]
    if new != token:
        assert refusal(new) in Refusal


@given(st.text() | st.text("g1.newAQ-_=%"))
def test_any_other_text_is_malformed(token: str) -> None:
    assert Refusal.MALFORMED == refusal(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "g1...",
        TOKEN.replace("g1.", "g2."),
        TOKEN.replace("g1.", "G1."),
        f"{TOKEN}\n",
        "g1." * 350_000,
        "a" * 1_000_000,
        "é" * 4000,
        f"{TOKEN[:-1]}é",
        "g1.new." + "a" * 4100 + "." + "A" * 43,
    ],
    ids=lambda token: token[:12],
)
def test_what_is_no_grant_is_malformed(token: str) -> None:
    assert Refusal.MALFORMED == refusal(token)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (GRANT.not_before - 5.001, Refusal.NOT_YET_VALID),
        (GRANT.not_before - 5, None),
        (GRANT.expires + 4.999, None),
        (GRANT.expires + 5, Refusal.EXPIRED),
    ],
)
def test_clocks_may_differ_by_five_seconds(moment: float, expected: Refusal | None) -> None:
    if expected is None:
        assert GRANT == verify_grant(TOKEN, RING, moment)
    else:
        assert expected == refusal(TOKEN, moment)


def test_how_much_clocks_may_differ_is_a_setting() -> None:
    assert Refusal.NOT_YET_VALID == refusal(TOKEN, NOW - 1, skew=0)
    assert Refusal.EXPIRED == refusal(TOKEN, GRANT.expires, skew=0)
    assert GRANT == verify_grant(TOKEN, RING, GRANT.expires + 59, skew=60)


def test_a_grant_lives_a_quarter_of_an_hour_at_most() -> None:
    longer = sign_grant(replace(GRANT, expires=NOW + 901), RING)

    assert Refusal.LIVES_TOO_LONG == refusal(longer)
    assert NOW + 901 == verify_grant(longer, RING, NOW, max_lifetime=901).expires
    assert Refusal.LIVES_TOO_LONG == refusal(TOKEN, max_lifetime=899)


def test_the_key_decides_before_the_time_does() -> None:
    assert Refusal.RETIRED_KEY == refusal(sign_grant(GRANT, ring_of(RETIRED)), NOW + 9_999)
    unknown = ring_of(Key("unknown", SECRET))
    assert Refusal.UNKNOWN_KEY == refusal(sign_grant(GRANT, unknown), NOW + 9_999)


def test_another_secret_under_the_same_id_is_refused() -> None:
    forged = sign_grant(GRANT, ring_of(Key(SIGNING.id, b"a secret that is only guessed...")))

    assert Refusal.BAD_SIGNATURE == refusal(forged)


def test_the_id_of_another_key_does_not_help() -> None:
    assert Refusal.BAD_SIGNATURE == refusal(TOKEN.replace(".new.", ".old."))


def test_a_capability_is_no_grant() -> None:
    capability = sign_capability(CAPABILITY, RING)
    head, signature = TOKEN.rsplit(".", 1)

    assert Refusal.MALFORMED == refusal(capability)
    assert Refusal.BAD_SIGNATURE == refusal(f"{head}.{capability.rsplit('.', 1)[1]}")
    assert signature != capability.rsplit(".", 1)[1]


def test_a_capability_for_an_upload_named_like_a_grant_is_none() -> None:
    likewise = sign_capability(replace(CAPABILITY, upload_id="g1"), RING)

    assert Refusal.BAD_SIGNATURE == refusal(likewise)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("jti", ""),
        ("jti", encode(bytes(15))),
        ("jti", encode(bytes(17))),
        ("jti", encode(bytes(15)) + "=="),
        ("jti", "AAAAAAAAAAAAAAAAAAAAAB"),
        ("jti", 5),
        ("sub", ""),
        ("sub", "a" * 257),
        ("sub", "a\nb"),
        ("sub", "\x7f"),
        ("sub", "\x9f"),
        ("sub", "\ud800"),
        ("sub", 5),
        ("sub", None),
        ("sub", ["alice"]),
        *((name, 1.0 * NOW) for name in ("nbf", "exp")),
        *((name, True) for name in ("nbf", "exp", "max", "uploads", "parts")),
        *((name, "5") for name in ("nbf", "exp", "max", "uploads", "parts")),
        *((name, 5.0) for name in ("max", "uploads", "parts")),
        *((name, -1) for name in ("nbf", "exp", "max", "uploads", "parts")),
        *((name, 2**63) for name in ("nbf", "exp", "max", "uploads", "parts")),
        *((name, None) for name in ("max", "uploads", "parts", "can", "meta", "allow", "path")),
        ("exp", NOW),
        ("exp", 10**400),
        ("uploads", 0),
        ("len", 5),  # beside max
        ("can", []),
        ("can", "HEAD"),
        ("can", {"HEAD": 1}),
        ("can", ["HEAD", "HEAD"]),
        ("can", ["head"]),
        ("can", ["POST"]),
        ("can", [["HEAD"]]),
        ("can", [1]),
        ("meta", []),
        ("meta", {"": "a"}),
        ("meta", {"a b": "a"}),
        ("meta", {"a,b": "a"}),
        ("meta", {"ä": "a"}),
        ("meta", {"a": 5}),
        ("meta", {"a": "\udfff"}),
        ("allow", "a"),
        ("allow", ["a", "a"]),
        ("allow", ["a b"]),
        ("allow", [5]),
        ("path", ""),
        ("path", "files"),
        ("path", "/a b"),
        ("path", "/ä"),
        ("path", "/a?b"),
        ("path", "/a#b"),
        ("path", 5),
        ("more", 5),
        ("Sub", "alice"),
        ("length", 5),
    ],
)
def test_a_claim_that_is_not_of_its_form_is_refused(name: str, value: object) -> None:
    token = signed_grant(json.dumps({**ALL_CLAIMS, name: value}), RING)

    assert Refusal.MALFORMED == refusal(token)


@pytest.mark.parametrize("missing", ["jti", "sub", "nbf", "exp", "max"])
def test_a_claim_that_is_missing_is_refused(missing: str) -> None:
    claims = {name: value for name, value in ALL_CLAIMS.items() if name != missing}

    assert Refusal.MALFORMED == refusal(signed_grant(json.dumps(claims), RING))


@pytest.mark.parametrize(
    "claims",
    [
        json.dumps(CLAIMS)[:-1] + ', "max": 5}',
        json.dumps(CLAIMS)[:-1] + ', "max": NaN}',
        json.dumps([CLAIMS]),
        json.dumps(CLAIMS) + "{}",
        "{}",
        "null",
        b"\xff\xfe",
        json.dumps(CLAIMS).encode("utf-16"),
        "[" * 2500,
    ],
    ids=range(9),
)
def test_claims_that_are_no_strict_object_are_refused(claims: str | bytes) -> None:
    assert Refusal.MALFORMED == refusal(signed_grant(claims, RING))


def test_claims_are_not_looked_at_before_the_signature() -> None:
    forged = signed_grant("no claims", ring_of(Key("new", b"a secret that is only guessed...")))

    assert Refusal.BAD_SIGNATURE == refusal(forged)


def test_claims_in_padded_base64_are_refused() -> None:
    signed, signature = TOKEN.rsplit(".", 1)

    assert Refusal.MALFORMED == refusal(f"{signed}=.{signature}")


def test_a_grant_that_no_server_would_read_is_not_made() -> None:
    with pytest.raises(ValueError, match="4096 are the most"):
        sign_grant(replace(GRANT, metadata={"note": "a" * 4000}), RING)


@pytest.mark.parametrize(
    ("claim", "value"),
    [("subject", ""), ("expires", NOW), ("length", 5), ("can", Rights(0)), ("uploads", True)],
)
def test_a_grant_that_makes_no_sense_is_not_made(claim: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match=r"\.$"):
        replace(GRANT, **{claim: value})


def test_metadata_of_a_grant_cannot_be_changed() -> None:
    pairs = {"a": "b"}
    grant = replace(GRANT, metadata=pairs)
    pairs["a"] = "c"

    assert {"a": "b"} == grant.metadata


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/files/", True),
        ("/files", True),
        ("/other/", False),
        ("/files/more/", False),
        ("/", False),
    ],
)
def test_a_grant_is_for_its_path(path: str, expected: bool) -> None:
    assert expected == replace(GRANT, path="/files").is_for(path)
    assert GRANT.is_for(path)
