"""Keeps what was measured of one link lately, and judges it."""

from collections import deque
from typing import Final

from .interfaces import Counters
from .quality import Quality, loss_of

# So many of the latest probes tell the loss: one that is lost is worth 5 %.
PROBES: Final = 20
# Fewer say nothing about a share.
_ENOUGH_PROBES: Final = 5

# Smoothing as TCP does it, RFC 6298.
_ALPHA: Final = 1 / 8
_BETA: Final = 1 / 4


class Meter:
    """Takes measurements of one link in the order in which they were made."""

    def __init__(self) -> None:
        self._latency: float | None = None
        self._jitter: float | None = None
        self._answered: deque[bool] = deque(maxlen=PROBES)
        self._counters: Counters | None = None
        self._counted: float | None = None
        self._rate: float | None = None
        self._at = 0.0

    @property
    def quality(self) -> Quality:
        """What is known now; the worse one where two figures tell the loss."""
        losses = [loss for loss in (self._lost(), self._counted) if loss is not None]
        return Quality(
            latency=self._latency,
            jitter=self._jitter,
            loss=max(losses, default=None),
            rate=self._rate,
        )

    def probed(self, seconds: float | None) -> None:
        """A probe took so long; None got no answer."""
        self._answered.append(seconds is not None)
        if seconds is None:
            return
        if self._latency is None or self._jitter is None:
            self._latency, self._jitter = seconds, seconds / 2
            return
        self._jitter += _BETA * (abs(self._latency - seconds) - self._jitter)
        self._latency += _ALPHA * (seconds - self._latency)

    def counted(self, counters: Counters | None, now: float) -> None:
        """The interface's counters at ``now``, in seconds of a clock that never goes back.

        Those that were counted before, for nobody has looked since, are not counted again.
        """
        if counters is not None and counters is self._counters:
            return
        before, self._counters = self._counters, counters
        elapsed, self._at = now - self._at, now
        if before is None or counters is None or elapsed <= 0:
            self._counted = self._rate = None
            return
        self._counted = loss_of(before, counters)
        size = counters.bytes_sent + counters.bytes_received
        self._rate = max(0.0, (size - before.bytes_sent - before.bytes_received) / elapsed)

    def _lost(self) -> float | None:
        if len(self._answered) < _ENOUGH_PROBES:
            return None
        return self._answered.count(False) / len(self._answered)
