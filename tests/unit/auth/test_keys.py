"""Keys are chosen by their id, and what is signed for one purpose is worth nothing for another."""

import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from tests.unit.auth.samples import OLD_SECRET, RETIRED, RING, SECRET, SIGNING, VERIFYING, ring_of
from tusd_py.auth.encoding import encode
from tusd_py.auth.keys import Key, KeyRing, KeyState, Purpose, derive, source_of
from tusd_py.errors import ConfigError, Refusal, TokenRefused


def refusal(ring: KeyRing, key_id: str, signature: str, message: str = "message") -> Refusal:
    with pytest.raises(TokenRefused) as raised:
        ring.check(Purpose.CREATE, key_id, message, signature)
    assert raised.value.key_id == key_id
    return raised.value.reason


@pytest.mark.parametrize("purpose", Purpose)
def test_derived_keys_are_those_of_hkdf_expand(purpose: Purpose) -> None:
    expected = hmac.new(SECRET, purpose.value + b"\x01", hashlib.sha256).digest()

    assert expected == derive(SECRET, purpose)


def test_the_signing_key_signs_with_what_is_derived_for_the_purpose() -> None:
    derived = derive(SECRET, Purpose.UPLOAD)
    expected = encode(hmac.new(derived, b"message", hashlib.sha256).digest())

    assert ("new", expected) == (RING.signing, RING.sign(Purpose.UPLOAD, "message"))


@pytest.mark.parametrize("key", [SIGNING, VERIFYING], ids=lambda key: key.id)
def test_what_a_key_signed_is_accepted_under_its_id(key: Key) -> None:
    RING.check(Purpose.CREATE, key.id, "message", ring_of(key).sign(Purpose.CREATE, "message"))


def test_no_other_key_than_the_named_one_is_tried() -> None:
    signature = ring_of(VERIFYING).sign(Purpose.CREATE, "message")

    assert Refusal.BAD_SIGNATURE == refusal(RING, "new", signature)


def test_a_signature_for_another_purpose_is_none() -> None:
    assert Refusal.BAD_SIGNATURE == refusal(RING, "new", RING.sign(Purpose.UPLOAD, "message"))


def test_a_signature_of_another_message_is_none() -> None:
    assert Refusal.BAD_SIGNATURE == refusal(RING, "new", RING.sign(Purpose.CREATE, "massage"))


def test_an_unknown_key_is_refused() -> None:
    signature = ring_of(Key("else", SECRET)).sign(Purpose.CREATE, "message")

    assert Refusal.UNKNOWN_KEY == refusal(RING, "else", signature)


def test_a_retired_key_is_refused_whatever_it_signed() -> None:
    signature = ring_of(RETIRED).sign(Purpose.CREATE, "message")

    assert Refusal.RETIRED_KEY == refusal(RING, "gone", signature)


@pytest.mark.parametrize("key_id", ["", "a" * 33, "a.b", "a b", "ä", "a\n", "a/b"])
def test_an_id_fits_into_a_url(key_id: str) -> None:
    with pytest.raises(ConfigError):
        Key(key_id, SECRET)


def test_a_short_secret_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as raised:
        Key("k1", b"31 bytes are one byte too short")

    assert 'The secret of the key "k1" has less than 32 bytes.' == str(raised.value)


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ([], "Exactly one key must be signing, and none is."),
        ([VERIFYING, RETIRED], "Exactly one key must be signing, and none is."),
        ([SIGNING, Key("b", SECRET)], "Exactly one key must be signing, and 2 are."),
        (
            [SIGNING, Key("new", OLD_SECRET, KeyState.RETIRED)],
            'Two keys have the id "new".',
        ),
    ],
)
def test_a_ring_has_one_signing_key_and_no_id_twice(keys: list[Key], problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        KeyRing(keys)

    assert problem == str(raised.value)


@pytest.mark.parametrize("thing", [SIGNING, RING, RING.keys, *(RING.keys.values())], ids=type)
def test_secrets_are_in_no_text_of_keys(thing: object) -> None:
    for text in (repr(thing), str(thing), f"{thing}"):
        assert "secret" not in text
        assert encode(SECRET) not in text


def test_a_ring_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        RING.keys["more"] = Key("more", SECRET)  # type: ignore[index]
    with pytest.raises(AttributeError):
        SIGNING.secret = OLD_SECRET  # type: ignore[misc]


def test_a_ring_shows_what_its_keys_may_do() -> None:
    assert "<KeyRing new signing, old verifying, gone retired>" == repr(RING)


def test_a_key_knows_when_it_was_made() -> None:
    created = datetime(2026, 1, 2, tzinfo=UTC)

    assert created == Key("k1", SECRET, created=created).created


def test_a_ring_is_a_source_of_itself_and_a_callable_stays_one() -> None:
    assert RING is source_of(RING)()
    assert RING is source_of(lambda: RING)()
