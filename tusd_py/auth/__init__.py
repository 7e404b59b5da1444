"""Who may create an upload, and who may go on with it."""

from importlib import import_module
from typing import TYPE_CHECKING

from .keys import Key, KeyRing, KeySource, KeyState
from .signer import Signer
from .sources import KeyFile, keys_from_environment

if TYPE_CHECKING:
    from .grants import Grants
    from .jwt import JwtKey, JwtSubject

__all__ = [
    "Grants",
    "JwtKey",
    "JwtSubject",
    "Key",
    "KeyFile",
    "KeyRing",
    "KeySource",
    "KeyState",
    "Signer",
    "keys_from_environment",
]


def __getattr__(name: str) -> object:
    # The server's parts, which who only makes grants does not need.
    if name == "Grants":
        return import_module(".grants", __name__).Grants
    if name in {"JwtKey", "JwtSubject"}:
        return getattr(import_module(".jwt", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
