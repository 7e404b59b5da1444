"""What is known about each upload."""

from .base import Event, Metadata

__all__ = ["Event", "Metadata"]
