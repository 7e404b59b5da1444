import hashlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.errors import ChecksumMismatch, InvalidHeader, ProtocolError, UnknownAlgorithm
from tusd_py.protocol.checksum import (
    ALGORITHMS,
    Checksum,
    Verifier,
    check_empty,
    parse_checksum,
)

# The check values that the algorithms' definitions give for these nine bytes.
DIGITS = b"123456789"
HASHLIB = ("sha1", "sha256", "sha512", "md5")
KNOWN = {
    "sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "sha256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
    "sha512": hashlib.sha512(DIGITS).hexdigest(),
    "md5": "25f9e794323b453885f5181f1b624d0b",
    "crc32c": "e3069283",
}


def test_sha1_is_offered() -> None:
    assert "sha1" in ALGORITHMS


def test_every_algorithm_has_a_known_value() -> None:
    assert set(KNOWN) == set(ALGORITHMS)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_body_with_the_checksum_matches(algorithm: str) -> None:
    verifier = Verifier([algorithm])
    verifier.update(DIGITS[:4])
    verifier.update(DIGITS[4:])

    assert verifier.matches(Checksum(algorithm, bytes.fromhex(KNOWN[algorithm])))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_body_does_not_match(algorithm: str) -> None:
    verifier = Verifier([algorithm])
    verifier.update(DIGITS + b"0")

    assert not verifier.matches(Checksum(algorithm, bytes.fromhex(KNOWN[algorithm])))


@pytest.mark.parametrize("length", [0, 19, 21])
def test_a_digest_of_another_length_does_not_match(length: int) -> None:
    verifier = Verifier(["sha1"])
    verifier.update(DIGITS)
    digest = (bytes.fromhex(KNOWN["sha1"]) + b"0")[:length]

    assert not verifier.matches(Checksum("sha1", digest))


def test_all_algorithms_can_run_at_once() -> None:
    verifier = Verifier(ALGORITHMS)
    verifier.update(DIGITS)

    matches = [
        verifier.matches(Checksum(name, bytes.fromhex(value))) for name, value in KNOWN.items()
    ]
    assert matches == [True] * len(ALGORITHMS)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_body_without_bytes_has_a_checksum_too(algorithm: str) -> None:
    right = {**{name: hashlib.new(name).digest() for name in HASHLIB}, "crc32c": bytes(4)}

    check_empty(Checksum(algorithm, right[algorithm]))
    with pytest.raises(ChecksumMismatch):
        check_empty(Checksum(algorithm, b"x" * len(right[algorithm])))


def test_a_body_without_bytes_needs_no_checksum() -> None:
    check_empty(None)


def test_a_checksum_is_read() -> None:
    assert parse_checksum("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=") == Checksum(
        "sha1", bytes.fromhex("2aae6c35c94fcfb415dbe95f408b9ce91ee846ed")
    )


@pytest.mark.parametrize("value", ["sha3 YQ==", "SHA1 YQ==", "sha1, YQ==", "crc32 YQ=="])
def test_an_algorithm_that_is_not_offered_is_told_from_a_malformed_header(value: str) -> None:
    with pytest.raises(UnknownAlgorithm) as raised:
        parse_checksum(value)

    assert raised.value.status == 400


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "sha1",
        "sha1 ",
        " YQ==",
        "sha1  YQ==",
        "sha1 YQ",
        "sha1 YQ==\n",
        "sha1 YQ== ",
        "sha1 é",
        "sha1 Y Q==",
        "sha1 Y-_=",
    ],
)
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(InvalidHeader):
        parse_checksum(value)


@given(st.sampled_from(ALGORITHMS), st.binary(min_size=1))
def test_what_is_written_is_read(algorithm: str, digest: bytes) -> None:
    value = f"{algorithm} {b64encode(digest).decode()}"

    assert parse_checksum(value) == Checksum(algorithm, digest)


@given(st.one_of(st.text(), st.text().map("sha1 ".__add__)))
def test_any_text_is_a_checksum_or_a_protocol_error(value: str) -> None:
    try:
        checksum = parse_checksum(value)
    except ProtocolError:
        return

    written = f"{checksum.algorithm} {b64encode(checksum.digest).decode()}"
    assert parse_checksum(written) == checksum
