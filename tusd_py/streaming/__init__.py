"""Moving bodies: from a source, in batches of adaptive size, written behind."""

from .base import BodySource, Interrupt, Sink, Stop

__all__ = ["BodySource", "Interrupt", "Sink", "Stop"]
