"""Who may create an upload, and who may go on with it."""

from .keys import Key, KeyRing, KeySource, KeyState
from .signer import Signer

__all__ = ["Key", "KeyRing", "KeySource", "KeyState", "Signer"]
