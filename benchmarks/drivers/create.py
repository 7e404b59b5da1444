"""Creates small uploads as fast as the server answers, on a few kept connections.

One thread, epoll, prebuilt bytes: the next creation goes out when the last answer is in, so each
connection always has exactly one request under way.
"""

from __future__ import annotations

import json
import re
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.drivers import process, wire
from benchmarks.errors import DriverFailedError

_SILENCE: Final = 10.0
_CREATED: Final = b"HTTP/1.1 201 "
_HEAD_END: Final = b"\r\n\r\n"
_NO_BODY: Final = re.compile(rb"\r\nContent-Length: *0\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateJob:
    """Create uploads of `length` bytes for `seconds`, the first `payload` bytes sent with them."""

    port: int
    body: str
    length: int
    payload: int
    connections: int
    seconds: float
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateResult:
    """How many uploads were created, how long each took, and what the driver itself spent."""

    created: int
    seconds: float
    cpu_seconds: float
    p50_seconds: float
    p99_seconds: float


@dataclass(slots=True)
class _Line:
    """One connection: what came of the answer under way, and the last complete answer."""

    connection: socket.socket
    received: bytes = b""
    answer: bytes = b""
    sent_at: int = 0


@dataclass(slots=True)
class _Load:
    """The closed loop over all connections."""

    job: CreateJob
    request: bytes
    lines: dict[int, _Line] = field(default_factory=dict)
    poll: select.epoll = field(default_factory=select.epoll)
    took: list[int] = field(default_factory=list)
    under_way: int = 0
    no_body: bytes = b""

    def open(self) -> None:
        """Open one connection."""
        connection = wire.connect(self.job.port, timeout=_SILENCE)
        self.lines[connection.fileno()] = _Line(connection)
        self.poll.register(connection.fileno(), select.EPOLLIN)

    def create(self, line: _Line) -> None:
        """Send the next creation on one connection."""
        self.under_way += 1
        line.sent_at = time.perf_counter_ns()
        line.connection.sendall(self.request)

    def run(self) -> None:
        """Keep every connection busy until time or limit is reached, then await the rest."""
        deadline = time.perf_counter() + self.job.seconds
        for line in self.lines.values():
            self.create(line)
        while self.under_way:
            events = self.poll.poll(_SILENCE)
            if not events:
                raise DriverFailedError("the server fell silent")
            open_still = time.perf_counter() < deadline and len(self.took) < self.job.limit
            for descriptor, _ in events:
                line = self.lines[descriptor]
                if self.receive(line) and open_still:
                    self.create(line)

    def receive(self, line: _Line) -> bool:
        """Read what came; whether the answer is complete. Checks that it is a 201."""
        try:
            received = line.connection.recv(16384)
        except OSError as error:
            raise DriverFailedError("the server broke the connection") from error
        if not received:
            raise DriverFailedError("the server closed the connection without an answer")
        if line.received:
            received = line.received + received
        if not received.startswith(_CREATED[: len(received)]):
            said = received[:40].partition(b"\r\n")[0].decode("latin-1")
            raise DriverFailedError(f"a creation was answered {said!r} instead of 201")
        if not self.is_complete(received):
            line.received = received
            return False
        self.took.append(time.perf_counter_ns() - line.sent_at)
        self.under_way -= 1
        line.received, line.answer = b"", received
        return True

    def is_complete(self, received: bytes) -> bool:
        """Whether a whole answer is there."""
        # Parsing every head would cost more than all else here. A server writes its empty
        # answers alike, so the line that said so in the first is looked for in the others.
        if self.no_body and received.endswith(_HEAD_END) and self.no_body in received:
            return True
        end = received.find(_HEAD_END)
        if end < 0:
            return False
        if empty := _NO_BODY.search(received, 0, end + 2):
            self.no_body = empty[0]
        return _has_whole_body(received, end)


def run(job: CreateJob, ready: Callable[[], None]) -> CreateResult:
    """Wait for the start, open the connections, create, and look at the last uploads.

    Raises:
        DriverFailedError: a creation was not answered 201, or an upload is not there after it.
    """
    with Path(job.body).open("rb") as body:
        payload = body.read(job.payload)
    load = _Load(job, wire.creation(job.port, job.length, payload))
    ready()
    for _ in range(job.connections):
        load.open()
    cpu, start = time.process_time(), time.perf_counter()
    load.run()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    for line in load.lines.values():
        _inspect(line, job)
    took = sorted(load.took)
    return CreateResult(
        created=len(took),
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        p50_seconds=took[len(took) // 2] / 1e9,
        p99_seconds=took[len(took) * 99 // 100] / 1e9,
    )


def _has_whole_body(received: bytes, end: int) -> bool:
    headers = wire.parse_head(received[:end]).headers
    body = received[end + len(_HEAD_END) :]
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return body.endswith(b"0\r\n\r\n")
    return len(body) >= int(headers.get("content-length", "0"))


def _inspect(line: _Line, job: CreateJob) -> None:
    """Look at the connection's last upload: a 201 for nothing would be a fast one."""
    path = wire.path_of(wire.parse_head(line.answer.partition(_HEAD_END)[0]))
    with line.connection as connection:
        connection.sendall(wire.request("HEAD", path, job.port, {}))
        answer = wire.read_answer(connection, to_head=True)
    wire.expect(answer, 200, 204, what="a HEAD", offset=job.payload)


def _work(job: str, ready: Callable[[], None]) -> CreateResult:
    return run(CreateJob(**json.loads(job)), ready)


if __name__ == "__main__":
    process.serve(_work)
