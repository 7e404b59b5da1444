"""Many slow senders in one thread, and a HEAD on another upload now and then."""

from __future__ import annotations

import resource
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from benchmarks.drivers import process, wire
from benchmarks.drivers.kept import Kept
from benchmarks.drivers.timing import Stopwatch

_SILENCE: Final = 30.0
_PIECE: Final = 1024
_LENGTH: Final = 1024 * 1024
_SPARE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TrickleJob:
    """Send 1 KiB a second on each of `connections` for `seconds`, and `heads` HEADs a second."""

    port: int
    connections: int
    seconds: float
    heads: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrickleResult:
    """How long the HEADs took, how late the slow senders were at worst, and the cost."""

    took: list[float]
    latest: float
    seconds: float
    cpu_seconds: float


@dataclass(slots=True)
class _Trickle:
    job: TrickleJob
    senders: list[socket.socket] = field(default_factory=list)
    latest: float = 0.0

    def open(self) -> None:
        """Begin all appends; their bodies follow."""
        for _ in range(self.job.connections):
            path = wire.create(self.job.port, _LENGTH)
            sender = wire.connect(self.job.port, timeout=_SILENCE)
            sender.sendall(wire.append_head(path, self.job.port, _LENGTH))
            self.senders.append(sender)

    def run(self, prober: _Prober) -> None:
        """Send in turn, so that each connection gets its piece once a second."""
        start = time.perf_counter()
        turns = int(self.job.seconds * self.job.connections)
        for turn in range(turns):
            due = start + turn / self.job.connections
            prober.probe_until(due)
            self.latest = max(self.latest, time.perf_counter() - due)
            self.senders[turn % self.job.connections].sendall(bytes(_PIECE))

    def close(self) -> None:
        """Cut all connections."""
        for sender in self.senders:
            sender.close()


class _Prober:
    """Asks for the offset of one upload again and again, without waiting for the answers."""

    def __init__(self, job: TrickleJob) -> None:
        self._pause = 1 / job.heads
        self._request = wire.request("HEAD", wire.create(job.port, _LENGTH), job.port, {})
        self._connection = Kept(job.port, timeout=_SILENCE)
        self._due = time.perf_counter()
        self._asked: float | None = None
        self.took: list[float] = []

    def probe_until(self, due: float) -> None:
        """Send requests and take answers until it is time for something else."""
        while True:
            now = time.perf_counter()
            if self._asked is None and now >= self._due:
                self._asked = now
                self._connection.open().sendall(self._request)
            left = min(due, self._due if self._asked is None else due) - now
            if self._asked is not None and self._answered(max(0.0, left)):
                answer = self._connection.answer(to_head=True)
                wire.expect(answer, 200, 204, what="a HEAD", offset=0)
                self.took.append(time.perf_counter() - self._asked)
                self._due, self._asked = self._asked + self._pause, None
            elif self._asked is None and left > 0:
                time.sleep(left)
            if time.perf_counter() >= due:
                return

    def _answered(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._connection.open(), select.POLLIN)
        return bool(poll.poll(1e3 * seconds))


def run(job: TrickleJob, ready: Callable[[], None]) -> TrickleResult:
    """Open all connections, wait for the start, then trickle and probe.

    Raises:
        DriverFailedError: the server broke a connection, or answered a HEAD otherwise than 200.
    """
    _allow_files(job.connections + _SPARE)
    trickle = _Trickle(job)
    trickle.open()
    prober = _Prober(job)
    ready()
    with Stopwatch() as watch:
        trickle.run(prober)
    trickle.close()
    return TrickleResult(
        took=prober.took,
        latest=trickle.latest,
        seconds=watch.seconds,
        cpu_seconds=watch.cpu_seconds,
    )


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(count, hard)))


if __name__ == "__main__":
    process.serve(TrickleJob, run)
