"""What is known about each upload."""

from .base import Event, Metadata, Quota, Use

__all__ = ["Event", "Metadata", "Quota", "Use"]
