"""``Upload-Checksum``: parsing it, and verifying a body against it.

google-crc32c serves crc32c; everything else is in the standard library.
"""

import binascii
import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Protocol

import google_crc32c

from tusd_py.errors import ChecksumMismatch, InvalidHeader, UnknownAlgorithm


class Hash(Protocol):
    """The part of hashlib's objects that is used here."""

    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


# clause checksum.sha1: sha1 must be among them.
_HASHES: dict[str, Callable[[], Hash]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "crc32c": google_crc32c.Checksum,
}
ALGORITHMS: tuple[str, ...] = tuple(_HASHES)


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a client says its body has: an algorithm by its tus name, and the digest."""

    algorithm: str
    digest: bytes


def parse_checksum(value: str) -> Checksum:
    """Read an ``Upload-Checksum`` value.

    Raises:
        InvalidHeader: 400, it is not an algorithm, one space and a Base64 digest.
        UnknownAlgorithm: 400, the server does not offer the algorithm.
    """
    algorithm, _, encoded = value.partition(" ")
    if not algorithm or not encoded:
        raise InvalidHeader("Upload-Checksum", "must be an algorithm, a space and a digest")
    # clause checksum.unknown
    if algorithm not in _HASHES:
        raise UnknownAlgorithm(ALGORITHMS)
    try:
        digest = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidHeader("Upload-Checksum", "must have its digest in Base64") from None
    return Checksum(algorithm, digest)


def format_checksum(checksum: Checksum) -> str:
    """Write an ``Upload-Checksum`` value."""
    return f"{checksum.algorithm} {b64encode(checksum.digest).decode()}"


def new_hash(algorithm: str) -> Hash:
    """Begin the checksum of an algorithm that is one of ``ALGORITHMS``."""
    return _HASHES[algorithm]()


def check_empty(expected: Checksum | None) -> None:
    """Verify a body that has no byte.

    Raises:
        ChecksumMismatch: 460, a checksum was sent and it is another's.
    """
    # clause checksum.verified
    if expected is not None and not Verifier([expected.algorithm]).matches(expected):
        raise ChecksumMismatch


class Verifier:
    """Hashes a body as it comes.

    With a trailer the algorithm is known only at the end, so several can be run at once.
    """

    def __init__(self, algorithms: Sequence[str]) -> None:
        self._hashes = {name: new_hash(name) for name in algorithms}

    def update(self, data: bytes) -> None:
        """Take the next bytes of the body. Slow: call it off the event loop."""
        for hash_ in self._hashes.values():
            hash_.update(data)

    def matches(self, expected: Checksum) -> bool:
        """Tell whether the body so far has this checksum."""
        return compare_digest(self._hashes[expected.algorithm].digest(), expected.digest)
