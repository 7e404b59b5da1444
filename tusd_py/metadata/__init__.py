"""What is known about each upload."""

from .base import Backlog, Event, Metadata, Quota, Receiver, Use
from .clients import ClientStore

__all__ = ["Backlog", "ClientStore", "Event", "Metadata", "Quota", "Receiver", "Use"]
