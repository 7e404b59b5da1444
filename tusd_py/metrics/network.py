"""Counting what happens to links."""

from .numbers import Series
from .table import OTHER


class NetworkMeters:
    """What is counted of links, of those behind them, and of their uploads.

    Args:
        series: Where it is counted.

    Attributes:
        paused: How many transfers are.
    """

    def __init__(self, series: Series) -> None:
        self.paused = series.counter("sessions_paused")
        self._pauses = series.counters("session_pauses")
        self._pause_seconds = series.histogram("session_pause_seconds")
        self._changes = series.counters("link_changes")
        self._switches = series.counters("interface_switches")
        self._client_rtts = series.histogram("client_rtt_seconds")
        self._reliabilities = series.histogram("client_reliability_ratio")

    def pause(self, end: str, seconds: float) -> None:
        """Count a pause of a transfer that is over.

        Args:
            end: One of ``table.PAUSE_ENDS``.
            seconds: It took.
        """
        self._pauses[(end,)].add()
        self._pause_seconds.observe(seconds)

    def changed(self, change: str) -> None:
        """Count a change of an interface, one of ``table.LINK_CHANGES``."""
        self._changes[(change,)].add()

    def switched(self, reason: str) -> None:
        """Count a switch to another interface.

        Args:
            reason: One of ``table.SWITCH_REASONS``; anything else counts as "other".
        """
        (self._switches.get((reason,)) or self._switches[(OTHER,)]).add()

    def client(self, rtt: float | None, reliability: float | None) -> None:
        """Count what is known of a client after one of its transfers.

        Args:
            rtt: Seconds of a round trip, if that was measured.
            reliability: From 0 to 1, if this says anything about it.
        """
        if rtt is not None:
            self._client_rtts.observe(rtt)
        if reliability is not None:
            self._reliabilities.observe(reliability)
