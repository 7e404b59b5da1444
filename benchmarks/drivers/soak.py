"""Clients on bad links for minutes: random sizes, random cuts, every file compared at its end."""

from __future__ import annotations

import mmap
import os
import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.drivers import process, wire
from benchmarks.drivers.reading import Download
from benchmarks.drivers.timing import Stopwatch
from benchmarks.errors import DriverFailedError

_SILENCE: Final = 60.0
_MOST_CUTS: Final = 4
_NOW: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakJob:
    """Make `uploads` uploads of `smallest` to `largest` bytes, spread over `seconds`."""

    port: int
    body: str
    uploads: int
    clients: int
    smallest: int
    largest: int
    seconds: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakResult:
    """What was done, and what the driver itself spent."""

    uploads: int
    bytes: int
    cuts: int
    seconds: float
    cpu_seconds: float


class _Soak:
    def __init__(self, job: SoakJob, source: memoryview) -> None:
        self._job = job
        self._source = source
        self._lock = threading.Lock()
        self._next = 0
        self._start = time.perf_counter()
        self.bytes = 0
        self.cuts = 0

    def client(self) -> None:
        """Make one upload after the other until all are made."""
        while (number := self._take()) is not None:
            # Each has numbers of its own, whichever client makes it.
            chance = random.Random(self._job.seed + number)  # noqa: S311 - to be repeatable
            due = self._start + self._job.seconds * number / self._job.uploads
            time.sleep(max(0.0, due - time.perf_counter()))
            size = chance.randint(self._job.smallest, self._job.largest)
            offset = chance.randint(0, len(self._source) - size)
            cuts = self._upload(self._source[offset : offset + size], chance)
            with self._lock:
                self.bytes += size
                self.cuts += cuts

    def _take(self) -> int | None:
        with self._lock:
            number = self._next
            self._next += 1
        return number if number < self._job.uploads else None

    def _upload(self, body: memoryview, chance: random.Random) -> int:
        path = wire.create(self._job.port, len(body))
        cuts = sorted(chance.sample(range(1, len(body)), chance.randint(0, _MOST_CUTS)))
        offset = 0
        for cut in cuts:
            self._send_and_cut(path, body, offset, max(offset, cut), chance)
            offset = self._offset(path, least=offset)
        with wire.connect(self._job.port, timeout=_SILENCE) as connection:
            connection.sendall(wire.append_head(path, self._job.port, len(body) - offset, offset))
            connection.sendall(body[offset:])
            wire.expect(wire.read_answer(connection), 204, what="the last append", offset=len(body))
        self._compare(path, body)
        self._delete(path)
        return len(cuts)

    def _send_and_cut(
        self, path: str, body: memoryview, offset: int, cut: int, chance: random.Random
    ) -> None:
        connection = wire.connect(self._job.port, timeout=_SILENCE)
        head = wire.append_head(path, self._job.port, len(body) - offset, offset)
        try:
            connection.sendall(head)
            connection.sendall(body[offset:cut])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise DriverFailedError("the server broke a healthy connection") from error
        if chance.random() < 1 / 2:
            # Linger for no time: the other side sees a reset and not an end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOW)
        connection.close()

    def _offset(self, path: str, *, least: int) -> int:
        with wire.connect(self._job.port, timeout=_SILENCE) as connection:
            connection.sendall(wire.request("HEAD", path, self._job.port, {}))
            answer = wire.read_answer(connection, to_head=True)
        wire.expect(answer, 200, what="a HEAD after a cut")
        offset = int(answer.headers["upload-offset"])
        if offset < least:
            raise DriverFailedError(f"an upload went back from {least} to {offset} bytes")
        return offset

    def _compare(self, path: str, body: memoryview) -> None:
        with Download(self._job.port, path, len(body)) as download:
            download.compare(body)

    def _delete(self, path: str) -> None:
        with wire.connect(self._job.port, timeout=_SILENCE) as connection:
            connection.sendall(wire.request("DELETE", path, self._job.port, {}))
            wire.expect(wire.read_answer(connection), 204, what="a DELETE")


def run(job: SoakJob, ready: Callable[[], None]) -> SoakResult:
    """Wait for the start, then let all clients work.

    Raises:
        DriverFailedError: an answer was wrong, or a file is not what was sent.
    """
    descriptor = os.open(Path(job.body), os.O_RDONLY)
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as source:
        ready()
        with Stopwatch() as watch, ThreadPoolExecutor(job.clients) as threads:
            soak = _Soak(job, source)
            for client in [threads.submit(soak.client) for _ in range(job.clients)]:
                client.result()
    return SoakResult(
        uploads=job.uploads,
        bytes=soak.bytes,
        cuts=soak.cuts,
        seconds=watch.seconds,
        cpu_seconds=watch.cpu_seconds,
    )


if __name__ == "__main__":
    process.serve(SoakJob, run)
