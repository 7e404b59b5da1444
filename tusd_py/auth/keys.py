"""Keys that sign tokens, and what is derived from them for each purpose."""

import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final

from tusd_py.errors import ConfigError, Refusal, TokenRefused
from tusd_py.quantities import shown

from .encoding import decode, encode

LEAST_SECRET_BYTES: Final = 32
KEY_ID: Final = r"[A-Za-z0-9_-]{1,32}"
_KEY_ID = re.compile(KEY_ID)
# HKDF-Expand of RFC 5869 up to the length of one hash is a single block, which is numbered.
_FIRST_BLOCK = b"\x01"


class Purpose(Enum):
    """What a derived key is for: a signature for one purpose is none for another."""

    CREATE = b"tusd_py/v1/create"
    UPLOAD = b"tusd_py/v1/upload"


class KeyState(StrEnum):
    """What a key may still do."""

    SIGNING = "signing"
    """Signs what is new. There is one such key in each ring."""

    VERIFYING = "verifying"
    """Signs no more; what it signed is accepted."""

    RETIRED = "retired"
    """What it signed is refused."""


def derive(secret: bytes, purpose: Purpose) -> bytes:
    """Make the key for a purpose, 32 bytes: HKDF-Expand with SHA-256."""
    return hmac.digest(secret, purpose.value + _FIRST_BLOCK, "sha256")


def read_secret(text: str) -> bytes:
    """Read a secret as files and variables have it.

    Raises:
        ValueError: It is not base64url without padding.
    """
    try:
        return decode(text)
    except ValueError:
        pass
    raise ValueError("Its secret is not base64url without padding.")


@dataclass(frozen=True, slots=True)
class Key:
    """A secret and its name.

    Args:
        id: 1 to 32 letters, digits, ``_`` or ``-``. It is part of each token.
        secret: At least 32 bytes from a good source of randomness.
        state: What the key may still do.
        created: When it was made, if that is known.

    Raises:
        ConfigError: The id or the secret is not of this form.
    """

    id: str
    secret: bytes = field(repr=False)
    state: KeyState = KeyState.SIGNING
    created: datetime | None = None

    def __post_init__(self) -> None:
        if not _KEY_ID.fullmatch(self.id):
            # It might be a secret that slipped into the wrong place.
            raise ConfigError(["The id of a key has 1 to 32 letters, digits, _ or -."])
        if len(self.secret) < LEAST_SECRET_BYTES:
            short = f"less than {LEAST_SECRET_BYTES} bytes"
            raise ConfigError([f"The secret of the key {shown(self.id)} has {short}."])


class KeyRing:
    """The keys of a server: one signs, others may verify, and retired ones are known as such.

    A ring never changes; rotation makes a new one.

    Args:
        keys: In any order.

    Raises:
        ConfigError: Two keys share an id, or not exactly one of them signs.
    """

    __slots__ = ("_derived", "_signing", "keys")

    def __init__(self, keys: Iterable[Key]) -> None:
        kept = tuple(keys)
        _check(kept)
        self.keys: Final = MappingProxyType({key.id: key for key in kept})
        """By id."""

        self._signing = next(key.id for key in kept if key.state is KeyState.SIGNING)
        # Deriving costs as much as signing, and is the same every time. A copy of these signs
        # without letting go of the interpreter, which would cost far more than the signature.
        self._derived = {
            purpose: {
                key.id: hmac.new(derive(key.secret, purpose), digestmod="sha256")
                for key in kept
                if key.state is not KeyState.RETIRED
            }
            for purpose in Purpose
        }

    def __repr__(self) -> str:
        states = ", ".join(f"{key.id} {key.state}" for key in self.keys.values())
        return f"<KeyRing {states}>"

    @property
    def signing(self) -> str:
        """The id of the key that signs."""
        return self._signing

    def accepts(self, key_id: str | None) -> bool:
        """Tell whether what the named key signed is accepted."""
        return key_id in self._derived[Purpose.UPLOAD]

    def sign(self, purpose: Purpose, message: str, key_id: str | None = None) -> str:
        """Sign ASCII text; returns the signature in base64url.

        Args:
            purpose: What the signature is for.
            message: The text.
            key_id: A key that is accepted. Default: the signing one.
        """
        return _signature(self._derived[purpose][key_id or self._signing], message)

    def check(self, purpose: Purpose, key_id: str, message: str, signature: str) -> None:
        """Let a signature through that the named key made; no other key is tried.

        Args:
            purpose: What the signature has to be for.
            key_id: The key that the token names.
            message: The signed text, ASCII.
            signature: What the token carries, ASCII.

        Raises:
            TokenRefused: The key is unknown or retired, or did not make this signature.
        """
        derived = self._derived[purpose].get(key_id)
        if derived is None:
            known = key_id in self.keys
            raise TokenRefused(Refusal.RETIRED_KEY if known else Refusal.UNKNOWN_KEY, key_id)
        if not hmac.compare_digest(_signature(derived, message), signature):
            raise TokenRefused(Refusal.BAD_SIGNATURE, key_id)


KeySource = Callable[[], KeyRing]
"""Gives the ring of this moment. It is called for every token, so it has to be quick."""


def source_of(keys: KeyRing | KeySource) -> KeySource:
    """Take a ring that stays as it is for a source of it."""
    if isinstance(keys, KeyRing):
        return lambda: keys
    return keys


def _check(keys: tuple[Key, ...]) -> None:
    ids = [key.id for key in keys]
    problems = [
        f"Two keys have the id {shown(id_)}." for id_ in sorted({*ids}) if ids.count(id_) > 1
    ]
    signing = sum(key.state is KeyState.SIGNING for key in keys)
    if signing != 1:
        found = f"{signing} are" if signing else "none is"
        problems.append(f"Exactly one key must be signing, and {found}.")
    if problems:
        raise ConfigError(problems)


def _signature(derived: hmac.HMAC, message: str) -> str:
    mac = derived.copy()
    mac.update(message.encode("ascii"))
    return encode(mac.digest())
