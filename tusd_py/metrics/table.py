"""The one table of metrics, from which their places in memory and their page follow.

All series are known beforehand: what clients send never becomes a label, so that nobody can make
their number grow.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

from tusd_py.errors import TusError
from tusd_py.quantities import GiB, KiB, MiB

PREFIX: Final = "tusd_py_"
OTHER: Final = "other"

METHODS: Final = ("POST", "HEAD", "PATCH", "DELETE", "GET", "OPTIONS", OTHER)
# The statuses that the server answers with; an application can choose any.
STATUSES: Final = (
    *("200", "201", "204", "206", "304", "400", "401", "403", "404", "405", "409", "410", "412"),
    *("413", "415", "416", "423", "429", "460", "499", "500", "501", "503", "507", OTHER),
)
HOOKS: Final = (
    *("on_access", "on_create", "before_finish", "on_finish"),
    *("pre-access", "pre-create", "post-create", "post-receive", "pre-finish", "post-finish"),
    *("pre-terminate", "post-terminate", "session.paused", "session.resumed", "network.switched"),
    OTHER,
)
DIRECTIONS: Final = ("upload", "download")
SWITCH_REASONS: Final = ("first", "lost", "latency", "loss", "return", "manual", OTHER)
OUTCOMES: Final = ("ok", "rejected", "failed", "skipped")
PAUSE_ENDS: Final = ("resumed", "taken-over", "given-up", "stopped", "cut")
LINK_CHANGES: Final = ("added", "removed", "up", "down", "addresses", "settled")


class Kind(StrEnum):
    """What a metric is, and for a gauge how those of several processes become one."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    SUM = "sum of gauges"
    LATEST = "latest of gauges"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One line of the table.

    Attributes:
        name: Without the prefix, and without ``_total``.
        kind: See there.
        help: What it tells.
        labels: The names of its labels.
        series: The values of these, for each series that there may be.
        buckets: The upper bounds of a histogram, without the infinite one.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    series: tuple[tuple[str, ...], ...] = ((),)
    buckets: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """How many numbers a series has: a histogram its buckets and a sum."""
        return len(self.buckets) + 2 if self.kind is Kind.HISTOGRAM else 1


def codes() -> tuple[str, ...]:
    """The codes of all errors that there are, in order."""
    found, classes = set[str](), [TusError]
    while classes:
        kind = classes.pop()
        found.add(kind.code)
        classes += (
            each for each in kind.__subclasses__() if each.__module__ == TusError.__module__
        )
    return (*sorted(found), OTHER)


def _each(values: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return tuple((value,) for value in values)


_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600)
_WAITS = (0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60)
_LIVES = (0.01, 0.1, 1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600)
_SIZES = (KiB, 16 * KiB, 256 * KiB, MiB, 4 * MiB, 16 * MiB, 64 * MiB, 256 * MiB, GiB, 16 * GiB)
_BATCHES = (4 * KiB, 16 * KiB, 64 * KiB, 256 * KiB, MiB, 4 * MiB, 16 * MiB, 64 * MiB)
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
_RATES = (16 * KiB, 128 * KiB, MiB, 4 * MiB, 16 * MiB, 64 * MiB, 128 * MiB, 512 * MiB, GiB)

_counter, _histogram, _sum, _latest = Kind.COUNTER, Kind.HISTOGRAM, Kind.SUM, Kind.LATEST


def _metric(name: str, kind: Kind, help_: str, **more: object) -> Metric:
    return Metric(name=name, kind=kind, help=help_, **more)  # type: ignore[arg-type]


TABLE: Final[Sequence[Metric]] = (
    _metric(
        "requests",
        _counter,
        "Requests that were answered, or whose client left (499).",
        labels=("method", "status"),
        series=tuple(product(METHODS, STATUSES)),
    ),
    _metric(
        "request_duration_seconds",
        _histogram,
        "Seconds from the headers of a request to the end of its answer.",
        labels=("method",),
        series=_each(METHODS),
        buckets=_SECONDS,
    ),
    _metric(
        "errors",
        _counter,
        "Errors by the code that clients are told.",
        labels=("code",),
        series=_each(codes()),
    ),
    _metric("received_bytes", _counter, "Bytes of bodies that were taken, while they flow."),
    _metric("sent_bytes", _counter, "Bytes of downloads that were sent, while they flow."),
    _metric("transfers_active", _sum, "Creations and PATCH requests that are being received."),
    _metric("downloads_active", _sum, "Downloads that are being sent."),
    _metric("uploads_created", _counter, "Uploads that were created."),
    _metric("uploads_finished", _counter, "Uploads whose end was recorded."),
    _metric("uploads_terminated", _counter, "Uploads that were removed on request."),
    _metric("uploads_expired", _counter, "Uploads that were removed because nobody came back."),
    _metric(
        "upload_duration_seconds",
        _histogram,
        "Seconds from the creation of an upload to its end, with all pauses.",
        buckets=_LIVES,
    ),
    _metric(
        "chunk_size_bytes",
        _histogram,
        "Bytes that one request brought for an upload.",
        buckets=_SIZES,
    ),
    _metric(
        "transfer_throughput_bytes_per_second",
        _histogram,
        "Bytes per second of requests that brought 1 MiB or more.",
        buckets=_RATES,
    ),
    _metric(
        "batch_size_bytes",
        _histogram,
        "Bytes that were written at once, or moved in one turn of a thread.",
        buckets=_BATCHES,
    ),
    _metric(
        "buffer_size_changes",
        _counter,
        "Connections' buffers that were given another size.",
        labels=("direction",),
        series=_each(DIRECTIONS),
    ),
    _metric("buffer_used_bytes", _sum, "Bytes that wait in memory to be written, or to be sent."),
    _metric("buffer_limit_bytes", _sum, "The most bytes that may wait in memory."),
    _metric(
        "lock_wait_seconds",
        _histogram,
        "Seconds that requests waited for an upload that another one was using.",
        buckets=_WAITS,
    ),
    _metric("lock_takeovers", _counter, "Uploads that were taken over from another request."),
    _metric("lock_timeouts", _counter, "Requests that did not get an upload in time (423)."),
    _metric(
        "hook_calls",
        _counter,
        "Calls of the application, by what became of them.",
        labels=("hook", "outcome"),
        series=tuple(product(HOOKS, OUTCOMES)),
    ),
    _metric(
        "hook_duration_seconds",
        _histogram,
        "Seconds that the application took to answer.",
        labels=("hook",),
        series=_each(HOOKS),
        buckets=_SECONDS,
    ),
    _metric("sessions_paused", _sum, "Uploads that wait because the network has changed."),
    _metric(
        "session_pauses",
        _counter,
        "Such pauses, by how they ended.",
        labels=("end",),
        series=_each(PAUSE_ENDS),
    ),
    _metric(
        "session_pause_seconds", _histogram, "Seconds that such pauses lasted.", buckets=_WAITS
    ),
    _metric(
        "link_changes",
        _counter,
        "Changes of the machine's interfaces that were seen, by what happened.",
        labels=("change",),
        series=_each(LINK_CHANGES),
    ),
    _metric(
        "interface_switches",
        _counter,
        "Switches of the server's own connections to another interface, of each process.",
        labels=("reason",),
        series=_each(SWITCH_REASONS),
    ),
    _metric("sweeps", _counter, "Sweeps for expired uploads that came to their end."),
    _metric("sweep_failures", _counter, "Sweeps that failed."),
    _metric("last_sweep_timestamp_seconds", _latest, "Unix time of the last sweep's end."),
    _metric(
        "client_rtt_seconds",
        _histogram,
        "Seconds of a round trip to the client, after transfers of 256 kB or more.",
        buckets=_SECONDS,
    ),
    _metric(
        "client_reliability_ratio",
        _histogram,
        "Share of a client's transfers that ended as they should, after each of them.",
        buckets=_SHARES,
    ),
)

SAMPLES: Final = {
    "storage_free_bytes": "Bytes of room left on the disk of the data folder.",
    "outbox_events": "Events that the application has not heard of yet.",
    "outbox_dead_events": "Events that it was told in vain too often; see tusd-py hooks.",
}
"""Gauges that are asked for when somebody reads, by name, with what they tell."""

SIZE: Final = sum(metric.size * len(metric.series) for metric in TABLE)
"""How many numbers a process keeps."""

DIGEST: Final = hashlib.sha256(repr(TABLE).encode()).digest()
"""Tells this table from that of another version of the program."""
