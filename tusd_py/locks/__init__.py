"""One writer for each upload, who can be asked to leave."""

from .base import Locks

__all__ = ["Locks"]
