"""Counting, for code that has better things to do.

Only the thread of the event loop counts, so that nothing here needs a lock. A count is an addition
to a number at a place that is known from the start.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Protocol

from tusd_py.quantities import MiB

from .table import OTHER, SIZE, TABLE, Metric

# With fewer bytes it is the latency that counts.
_WORTH_A_RATE = MiB


class Values(Protocol):
    """The numbers of a process."""

    def __getitem__(self, place: int, /) -> float: ...

    def __setitem__(self, place: int, value: float, /) -> None: ...


class Counter:
    """A number; a gauge too."""

    __slots__ = ("_place", "_values")

    def __init__(self, values: Values, place: int) -> None:
        self._values = values
        self._place = place

    def add(self, amount: float = 1) -> None:
        """Make it more, or if it is a gauge less."""
        self._values[self._place] += amount

    def set(self, value: float) -> None:
        """Give a gauge its value."""
        self._values[self._place] = value


class Histogram:
    """Numbers of observations by size, and their sum."""

    __slots__ = ("_bounds", "_place", "_sum", "_values")

    def __init__(self, values: Values, place: int, bounds: Sequence[float]) -> None:
        self._values = values
        self._place = place
        self._bounds = bounds
        self._sum = place + len(bounds) + 1

    def observe(self, value: float) -> None:
        """Count one."""
        self._values[self._place + bisect_left(self._bounds, value)] += 1
        self._values[self._sum] += value


class Meters:
    """All that is counted in a process.

    Args:
        values: The numbers to begin with, ``SIZE`` of them; None is nothing but zeros.

    Attributes:
        values: The same.
    """

    def __init__(self, values: Values | None = None) -> None:
        self.values: Values = [0.0] * SIZE if values is None else values
        self._requests = self._counters("requests")
        self._durations = self._histograms("request_duration_seconds")
        self._errors = self._counters("errors")
        self._hooks = self._counters("hook_calls")
        self._hook_durations = self._histograms("hook_duration_seconds")
        self.received = self._counter("received_bytes")
        self.sent = self._counter("sent_bytes")
        self.transfers = self._counter("transfers_active")
        self.downloads = self._counter("downloads_active")
        self.created = self._counter("uploads_created")
        self.finished = self._counter("uploads_finished")
        self.terminated = self._counter("uploads_terminated")
        self.expired = self._counter("uploads_expired")
        self.lives = self._histograms("upload_duration_seconds")[()]
        self._chunks = self._histograms("chunk_size_bytes")[()]
        self._rates = self._histograms("transfer_throughput_bytes_per_second")[()]
        self.batches = self._histograms("batch_size_bytes")[()]
        resized = self._counters("buffer_size_changes")
        self.uploads_resized, self.downloads_resized = resized[("upload",)], resized[("download",)]
        self.buffered = self._counter("buffer_used_bytes")
        self.buffer_limit = self._counter("buffer_limit_bytes")
        self.lock_waits = self._histograms("lock_wait_seconds")[()]
        self.takeovers = self._counter("lock_takeovers")
        self.lock_timeouts = self._counter("lock_timeouts")
        self.paused = self._counter("sessions_paused")
        self._pauses = self._counters("session_pauses")
        self._pause_seconds = self._histograms("session_pause_seconds")[()]
        self._link_changes = self._counters("link_changes")
        self._switches = self._counters("interface_switches")
        self.sweeps = self._counter("sweeps")
        self.sweep_failures = self._counter("sweep_failures")
        self.last_sweep = self._counter("last_sweep_timestamp_seconds")
        self._client_rtts = self._histograms("client_rtt_seconds")[()]
        self._reliabilities = self._histograms("client_reliability_ratio")[()]

    def request(self, method: str, status: int, seconds: float, code: object = None) -> None:
        """Count a request that is over.

        Args:
            method: The effective one.
            status: Of the answer.
            seconds: It took.
            code: Of the error, if it failed.
        """
        if (method,) not in self._durations:
            method = OTHER
        counter = self._requests.get((method, str(status))) or self._requests[method, OTHER]
        counter.add()
        self._durations[(method,)].observe(seconds)
        if code is not None:
            (self._errors.get((str(code),)) or self._errors[(OTHER,)]).add()

    def transfer(self, size: int, seconds: float) -> None:
        """Count the bytes that a request brought in so many seconds."""
        self._chunks.observe(size)
        if size >= _WORTH_A_RATE and seconds > 0:
            self._rates.observe(size / seconds)

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

    def hook(self, hook: str, outcome: str, seconds: float) -> None:
        """Count a call of the application.

        Args:
            hook: One of ``table.HOOKS``; anything else counts as "other".
            outcome: One of ``table.OUTCOMES``.
            seconds: It took.
        """
        if (hook,) not in self._hook_durations:
            hook = OTHER
        self._hooks[hook, outcome].add()
        self._hook_durations[(hook,)].observe(seconds)

    def pause(self, end: str, seconds: float) -> None:
        """Count a pause of a transfer that is over.

        Args:
            end: One of ``table.PAUSE_ENDS``.
            seconds: It took.
        """
        self._pauses[(end,)].add()
        self._pause_seconds.observe(seconds)

    def link_change(self, change: str) -> None:
        """Count a change of an interface, one of ``table.LINK_CHANGES``."""
        self._link_changes[(change,)].add()

    def switched(self, reason: str) -> None:
        """Count a switch to another interface.

        Args:
            reason: One of ``table.SWITCH_REASONS``; anything else counts as "other".
        """
        (self._switches.get((reason,)) or self._switches[(OTHER,)]).add()

    def _counter(self, name: str) -> Counter:
        return self._counters(name)[()]

    def _counters(self, name: str) -> dict[tuple[str, ...], Counter]:
        metric = _BY_NAME[name]
        return {labels: Counter(self.values, place) for labels, place in places(metric)}

    def _histograms(self, name: str) -> dict[tuple[str, ...], Histogram]:
        metric = _BY_NAME[name]
        return {
            labels: Histogram(self.values, place, metric.buckets)
            for labels, place in places(metric)
        }


_BY_NAME = {metric.name: metric for metric in TABLE}
_SIZES = [metric.size * len(metric.series) for metric in TABLE]
_FIRST = {
    metric.name: first for metric, first in zip(TABLE, accumulate(_SIZES, initial=0), strict=False)
}


def places(metric: Metric) -> Iterator[tuple[tuple[str, ...], int]]:
    """Where the numbers of each series of a metric begin."""
    first = _FIRST[metric.name]
    for index, labels in enumerate(metric.series):
        yield labels, first + index * metric.size
