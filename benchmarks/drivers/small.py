"""Makes small uploads as fast as the server answers, on a few kept connections.

One thread, epoll, prebuilt bytes: the next request goes out when the last answer is in, so each
connection always has exactly one under way.
"""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count, repeat
from pathlib import Path
from typing import Final

from benchmarks.drivers import process, wire
from benchmarks.drivers.timing import Stopwatch, percentile
from benchmarks.errors import DriverFailedError
from tusd_py.auth import KeyFile, Signer

_SILENCE: Final = 10.0
# No server here makes more uploads with grants.
_MOST_PER_SECOND: Final = 8_000
_HEAD_END: Final = b"\r\n\r\n"
_CLOSES: Final = re.compile(rb"\r\nConnection: *close\r\n", re.IGNORECASE)
_NO_BODY: Final = re.compile(rb"\r\nContent-Length: *0\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallJob:
    """Make uploads of `length` bytes for `seconds`, until there are `limit`.

    The first `payload` bytes are sent with the creation. Where it `goes_on`, the rest follows in
    a PATCH, and then a HEAD; all three count as one. Where there are `keys`, the path of a file,
    each creation comes with a grant of its own.
    """

    port: int
    body: str
    length: int
    payload: int
    goes_on: bool
    connections: int
    seconds: float
    limit: int
    keys: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallResult:
    """How many uploads were made, how long each took, and what the driver itself spent."""

    made: int
    seconds: float
    cpu_seconds: float
    p50_seconds: float
    p99_seconds: float


@dataclass(frozen=True, slots=True)
class _Step:
    """A request of an upload: what it is called, and how its answer begins."""

    name: str
    answers: tuple[bytes, ...]
    has_body: bool = False


_CREATE: Final = _Step("a creation", (b"HTTP/1.1 201 ",), has_body=True)
_APPEND: Final = _Step("an append", (b"HTTP/1.1 204 ",))
_ASK: Final = _Step("a HEAD", (b"HTTP/1.1 200 ", b"HTTP/1.1 204 "))


@dataclass(slots=True)
class _Line:
    """One connection: its upload, what it waits for, and what has come of that."""

    connection: socket.socket
    is_open: bool = True
    step: _Step = _CREATE
    received: bytes = b""
    created: bytes = b""
    began_at: int = 0

    @property
    def path(self) -> str:
        """The path of its last upload."""
        return wire.path_of(wire.parse_head(self.created.partition(_HEAD_END)[0]))


@dataclass(slots=True)
class Load:
    """The closed loop over all connections; it keeps every `keep_every`-th path, or none for 0."""

    job: SmallJob
    body: bytes
    keep_every: int = 0
    kept: list[str] = field(default_factory=list)
    all: list[_Line] = field(default_factory=list)
    open_lines: dict[int, _Line] = field(default_factory=dict)
    poll: select.epoll = field(default_factory=select.epoll)
    took: list[int] = field(default_factory=list)
    creations: Iterator[bytes] = field(default_factory=lambda: iter(()))
    no_body: bytes = b""

    def open(self) -> None:
        """Build the creations, and open all connections."""
        self.creations = _creations(self.job, self.body[: self.job.payload])
        for _ in range(self.job.connections):
            line = _Line(wire.connect(self.job.port, timeout=_SILENCE))
            self.all.append(line)
            self._watch(line)

    def run(self) -> None:
        """Keep every connection busy until time or limit is reached, then await the rest."""
        deadline = time.perf_counter() + self.job.seconds
        for line in self.all:
            self._begin(line)
        busy = self.job.connections
        while busy:
            events = self.poll.poll(_SILENCE)
            if not events:
                raise DriverFailedError("the server fell silent")
            in_time = time.perf_counter() < deadline
            for descriptor, _ in events:
                line = self.open_lines[descriptor]
                if not self._receive(line) or self._go_on(line):
                    continue
                self._note(line)
                if in_time and len(self.took) + busy <= self.job.limit:
                    self._begin(line)
                else:
                    busy -= 1

    def _watch(self, line: _Line) -> None:
        self.open_lines[line.connection.fileno()] = line
        self.poll.register(line.connection.fileno(), select.EPOLLIN)

    def _hang_up(self, line: _Line) -> None:
        del self.open_lines[line.connection.fileno()]
        line.connection.close()
        line.is_open = False

    def _begin(self, line: _Line) -> None:
        line.step, line.began_at = _CREATE, time.perf_counter_ns()
        self._send(line, next(self.creations))

    def _send(self, line: _Line, request: bytes) -> None:
        if not line.is_open:
            # The server closes after each answer: its clients pay for that, so it counts.
            line.connection, line.is_open = wire.connect(self.job.port, timeout=_SILENCE), True
            self._watch(line)
        line.connection.sendall(request)

    def _note(self, line: _Line) -> None:
        self.took.append(time.perf_counter_ns() - line.began_at)
        if self.keep_every and len(self.took) % self.keep_every == 0:
            self.kept.append(line.path)

    def _go_on(self, line: _Line) -> bool:
        """Send the next request of an upload; whether there was one."""
        job = self.job
        if not job.goes_on or line.step is _ASK:
            return False
        if line.step is _CREATE:
            rest = self.body[job.payload :]
            head = wire.append_head(line.path, job.port, len(rest), job.payload)
            line.step, request = _APPEND, head + rest
        else:
            line.step, request = _ASK, wire.request("HEAD", line.path, job.port, {})
        self._send(line, request)
        return True

    def _receive(self, line: _Line) -> bool:
        """Read what came; whether the answer is complete. Checks its status."""
        try:
            received = line.connection.recv(16384)
        except OSError as error:
            raise DriverFailedError("the server broke the connection") from error
        if not received:
            raise DriverFailedError("the server closed the connection without an answer")
        if line.received:
            received = line.received + received
        if len(received) < len(line.step.answers[0]) or not self._is_complete(line, received):
            line.received = received
            return False
        if not received.startswith(line.step.answers):
            said = received[:40].partition(b"\r\n")[0].decode("latin-1")
            raise DriverFailedError(f"{line.step.name} was answered {said!r}")
        if line.step is _CREATE:
            line.created = received
        line.received = b""
        if _CLOSES.search(received):
            self._hang_up(line)
        return True

    def _is_complete(self, line: _Line, received: bytes) -> bool:
        # Parsing every head would cost more than all else here. A server writes its empty
        # answers alike, so the line that said so in the first is looked for in the others.
        if self.no_body and received.endswith(_HEAD_END) and self.no_body in received:
            return True
        end = received.find(_HEAD_END)
        if end < 0 or not line.step.has_body:
            return end >= 0
        if empty := _NO_BODY.search(received, 0, end + 2):
            self.no_body = empty[0]
        return _has_whole_body(received, end)


def run(job: SmallJob, ready: Callable[[], None]) -> SmallResult:
    """Wait for the start, open the connections, make uploads, and look at the last ones.

    Raises:
        DriverFailedError: an answer was wrong, or an upload is not there after it.
    """
    load = Load(job, Path(job.body).read_bytes()[: job.length])
    ready()
    load.open()
    with Stopwatch() as watch:
        load.run()
    for line in load.all:
        _inspect(line, job)
    return SmallResult(
        made=len(load.took),
        seconds=watch.seconds,
        cpu_seconds=watch.cpu_seconds,
        p50_seconds=percentile(load.took, 50) / 1e9,
        p99_seconds=percentile(load.took, 99) / 1e9,
    )


def _creations(job: SmallJob, payload: bytes) -> Iterator[bytes]:
    if not job.keys:
        return repeat(wire.creation(job.port, job.length, payload))
    signer = Signer(KeyFile(job.keys))

    def granted(_: int) -> bytes:
        grant = signer.grant(subject="somebody", max_length=job.length)
        return wire.creation(job.port, job.length, payload, grant)

    # Before the clock runs, as it is the application that makes them.
    ahead = [granted(number) for number in range(int(job.seconds * _MOST_PER_SECOND))]
    return chain(ahead, map(granted, count()))


def _has_whole_body(received: bytes, end: int) -> bool:
    headers = wire.parse_head(received[:end]).headers
    body = received[end + len(_HEAD_END) :]
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return body.endswith(b"0\r\n\r\n")
    return len(body) >= int(headers.get("content-length", "0"))


def _inspect(line: _Line, job: SmallJob) -> None:
    """Look at the connection's last upload: a 201 for nothing would be a fast one."""
    line.connection.close()
    with wire.connect(job.port, timeout=_SILENCE) as connection:
        connection.sendall(wire.request("HEAD", line.path, job.port, {}))
        answer = wire.read_answer(connection, to_head=True)
    offset = job.length if job.goes_on else job.payload
    wire.expect(answer, 200, 204, what="a HEAD", offset=offset)


if __name__ == "__main__":
    process.serve(SmallJob, run)
