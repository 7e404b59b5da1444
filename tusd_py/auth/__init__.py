"""Who may create an upload, and who may go on with it."""

from .grants import Grants
from .keys import Key, KeyRing, KeySource, KeyState
from .signer import Signer
from .sources import KeyFile, keys_from_environment

__all__ = [
    "Grants",
    "Key",
    "KeyFile",
    "KeyRing",
    "KeySource",
    "KeyState",
    "Signer",
    "keys_from_environment",
]
