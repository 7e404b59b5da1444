"""A capability holds for one upload, if a key that is known signed it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.auth.forging import altered, refusal_of, signed_capability
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
from tusd_py.auth.capability import Capability, sign_capability, verify_capability
from tusd_py.auth.grant import sign_grant
from tusd_py.auth.keys import Key
from tusd_py.auth.rights import Rights
from tusd_py.errors import Refusal, TokenRefused

SEGMENT = sign_capability(CAPABILITY, RING)
CAPABILITIES = st.builds(
    Capability,
    upload_id=st.from_regex(r"[A-Za-z0-9_-]{1,128}", fullmatch=True),
    subject=st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=256),
    expires=st.integers(NOW, 253_402_300_799),
    rights=st.integers(1, 31).map(Rights),
)


def refusal(segment: str, now: float = NOW) -> Refusal:
    with pytest.raises(TokenRefused) as raised:
        verify_capability(segment, RING, now)
    return refusal_of(raised.value)


@given(CAPABILITIES)
def test_what_was_given_is_read(capability: Capability) -> None:
    read = verify_capability(sign_capability(capability, RING), RING, NOW)

    assert (capability, "new") == (read, read.key_id)


@given(CAPABILITIES)
def test_it_is_one_segment_of_a_path_without_escapes(capability: Capability) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,4096}", sign_capability(capability, RING))


def test_it_is_short() -> None:
    usual = replace(CAPABILITY, upload_id="0" * 44, subject="user-12345")

    assert len(sign_capability(usual, RING)) <= 115


def test_the_longest_one_is_read() -> None:
    longest = replace(CAPABILITY, upload_id="0" * 128, subject="\N{GRINNING FACE}" * 256)

    assert longest == verify_capability(sign_capability(longest, RING), RING, NOW)


def test_a_key_that_verifies_is_as_good_as_the_one_that_signs() -> None:
    read = verify_capability(sign_capability(CAPABILITY, ring_of(VERIFYING)), RING, NOW)

    assert (CAPABILITY, "old") == (read, read.key_id)


def test_a_segment_altered_at_any_position_is_refused() -> None:
    passed = []
    for segment in altered(SEGMENT):
        try:
            verify_capability(segment, RING, NOW)
        except TokenRefused:
            continue
        passed.append(segment)

    # What replaces a character may be that character.
    assert {SEGMENT} == {*passed}


@given(CAPABILITIES, st.data())
def test_any_capability_altered_anywhere_is_refused(
    capability: Capability, data: st.DataObject
) -> None:
    segment = sign_capability(capability, RING)
    at = data.draw(st.integers(0, len(segment) - 1))
    until = data.draw(st.integers(at, len(segment)))
    new = segment[:at] + data.draw(st.text(max_size=8)) + segment[until:]
    if new != segment:
        assert refusal(new) in Refusal


@given(st.text() | st.text("c1.newAQ-_=%"))
def test_any_other_text_is_malformed(segment: str) -> None:
    assert Refusal.MALFORMED == refusal(segment)


@pytest.mark.parametrize(
    "segment",
    [
        "",
        "...",
        CAPABILITY.upload_id,
        f"c1.{SEGMENT}",
        f"{SEGMENT}\n",
        "a." * 500_000,
        "a" * 1_000_000,
        "é" * 4000,
        f"{SEGMENT[:-1]}é",
        "a" * 129 + ".new.AAAA." + "A" * 43,
        "a.new." + "a" * 4100 + "." + "A" * 43,
    ],
    ids=lambda segment: segment[:12],
)
def test_what_is_no_capability_is_malformed(segment: str) -> None:
    assert Refusal.MALFORMED == refusal(segment)


@pytest.mark.parametrize(
    ("moment", "skew", "expected"),
    [
        (CAPABILITY.expires + 4.999, 5, False),
        (CAPABILITY.expires + 5, 5, True),
        (CAPABILITY.expires - 0.001, 0, False),
        (CAPABILITY.expires, 0, True),
    ],
)
def test_it_ends_when_it_says_and_the_skew_is_over(
    moment: float, skew: float, expected: bool
) -> None:
    try:
        verify_capability(SEGMENT, RING, moment, skew=skew)
    except TokenRefused as error:
        ended = error.reason is Refusal.EXPIRED
    else:
        ended = False

    assert expected == ended


def test_a_retired_or_unknown_key_is_refused() -> None:
    retired = sign_capability(CAPABILITY, ring_of(RETIRED))
    unknown = sign_capability(CAPABILITY, ring_of(Key("unknown", SECRET)))

    assert Refusal.RETIRED_KEY == refusal(retired)
    assert Refusal.UNKNOWN_KEY == refusal(unknown)


def test_another_secret_under_the_same_id_is_refused() -> None:
    forged = sign_capability(
        CAPABILITY, ring_of(Key(SIGNING.id, b"a secret that is only guessed..."))
    )

    assert Refusal.BAD_SIGNATURE == refusal(forged)


def test_the_id_of_another_upload_does_not_help() -> None:
    assert Refusal.BAD_SIGNATURE == refusal(SEGMENT.replace("0123abcd", "0123abce"))


def test_a_grant_is_no_capability() -> None:
    # It has the form of one for an upload with the id g1.
    assert Refusal.BAD_SIGNATURE == refusal(sign_grant(GRANT, RING))


@pytest.mark.parametrize(
    "claims",
    [
        b"",
        b"\x01",
        b"\x01\x00\x7f\xff\xff\xff",
        b"\x00\x00\x7f\xff\xff\xffalice",
        b"\x20\x00\x7f\xff\xff\xffalice",
        b"\x81\x00\x7f\xff\xff\xffalice",
        b"\x01\xff\xff\xff\xff\xffalice",
        b"\x01\x00\x7f\xff\xff\xff\xff",
        b"\x01\x00\x7f\xff\xff\xffa\nb",
        b"\x01\x00\x7f\xff\xff\xff\xed\xa0\x80",
        b"\x01\x00\x7f\xff\xff\xff" + b"a" * 257,
    ],
)
def test_claims_that_are_not_of_their_form_are_refused(claims: bytes) -> None:
    assert Refusal.MALFORMED == refusal(signed_capability("id", claims, RING))


def test_the_same_claims_in_their_form_are_read() -> None:
    segment = signed_capability("id", b"\x01\x00\x7f\xff\xff\xffalice", RING)

    assert ("alice", Rights.HEAD) == (
        (read := verify_capability(segment, RING, NOW)).subject,
        read.rights,
    )


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("upload_id", ""),
        ("upload_id", "a" * 129),
        ("upload_id", "a.b"),
        ("upload_id", "a/b"),
        ("upload_id", "ä"),
        ("subject", ""),
        ("expires", -1),
        ("expires", True),
        ("expires", 1.5),
        ("expires", 253_402_300_800),
        ("rights", Rights(0)),
    ],
)
def test_a_capability_that_makes_no_sense_is_not_made(
    claim: str,
    value: Any,  # noqa: ANN401
) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        replace(CAPABILITY, **{claim: value})


def test_it_allows_what_its_rights_do() -> None:
    assert CAPABILITY.allows("DELETE", finished=False)
    assert not CAPABILITY.allows("DELETE", finished=True)
    assert not CAPABILITY.allows("GET", finished=True)
