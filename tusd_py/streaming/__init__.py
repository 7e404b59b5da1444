"""Moving bodies: from a source, in batches of adaptive size, written behind."""

from .base import BodySource, DirectSink, Interrupt, Sink, Stop

__all__ = ["BodySource", "DirectSink", "Interrupt", "Sink", "Stop"]
