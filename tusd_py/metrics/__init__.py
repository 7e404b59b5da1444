"""What is counted, and how it is told to Prometheus."""

from .meters import Meters

__all__ = ["Meters"]
