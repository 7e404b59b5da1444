"""Counting, for code that has better things to do."""

from tusd_py.quantities import MiB

from .network import NetworkMeters
from .numbers import Series, Values
from .table import OTHER, SIZE

# With fewer bytes it is the latency that counts.
_WORTH_A_RATE = MiB


class Meters:
    """All that is counted in a process.

    Args:
        values: The numbers to begin with, ``SIZE`` of them; None is nothing but zeros.

    Attributes:
        values: The same.
        network: Count what happens to links, to those behind them, and to their uploads.
    """

    def __init__(self, values: Values | None = None) -> None:
        self.values: Values = [0.0] * SIZE if values is None else values
        series = Series(self.values)
        self.network = NetworkMeters(series)
        self._requests = series.counters("requests")
        self._durations = series.histograms("request_duration_seconds")
        self._errors = series.counters("errors")
        self._hooks = series.counters("hook_calls")
        self._hook_durations = series.histograms("hook_duration_seconds")
        self.received = series.counter("received_bytes")
        self.sent = series.counter("sent_bytes")
        self.transfers = series.counter("transfers_active")
        self.downloads = series.counter("downloads_active")
        self.created = series.counter("uploads_created")
        self.finished = series.counter("uploads_finished")
        self.terminated = series.counter("uploads_terminated")
        self.expired = series.counter("uploads_expired")
        self.lives = series.histogram("upload_duration_seconds")
        self._chunks = series.histogram("chunk_size_bytes")
        self._rates = series.histogram("transfer_throughput_bytes_per_second")
        self.batches = series.histogram("batch_size_bytes")
        resized = series.counters("buffer_size_changes")
        self.uploads_resized, self.downloads_resized = resized[("upload",)], resized[("download",)]
        self.buffered = series.counter("buffer_used_bytes")
        self.buffer_limit = series.counter("buffer_limit_bytes")
        self.lock_waits = series.histogram("lock_wait_seconds")
        self.takeovers = series.counter("lock_takeovers")
        self.lock_timeouts = series.counter("lock_timeouts")
        self.sweeps = series.counter("sweeps")
        self.sweep_failures = series.counter("sweep_failures")
        self.last_sweep = series.counter("last_sweep_timestamp_seconds")

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
