"""What is known about each upload."""

from .base import Backlog, Event, Metadata, Quota, Receiver, Use

__all__ = ["Backlog", "Event", "Metadata", "Quota", "Receiver", "Use"]
