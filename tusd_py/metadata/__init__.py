"""What is known about each upload."""

from .base import Event, Metadata, Use

__all__ = ["Event", "Metadata", "Use"]
