"""SIGTERM while a hundred clients upload: nothing is lost, and all of them can go on."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.live import Wire, head
from tests.support.server import ServerProcess

OFFSET_TYPE = "application/offset+octet-stream"
LENGTH = 1_000_000
GRACE = 10
SILENT = 80
SENDING = 20


@dataclass
class Client:
    """One upload, and what was sent of it."""

    path: str
    data: bytes
    wire: Wire
    sent: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        self.wire.send(
            head(
                "PATCH",
                self.path,
                upload_offset="0",
                content_type=OFFSET_TYPE,
                content_length=str(LENGTH),
            )
        )

    def send(self, size: int) -> None:
        self.wire.send(self.data[self.sent : self.sent + size])
        self.sent += size

    def send_on(self) -> None:
        """Send, a little at a time, until the connection ends."""
        with suppress(OSError):
            while not self.stopped.is_set() and self.sent < LENGTH // 2:
                self.send(1000)
                time.sleep(0.005)


@pytest.fixture
def server(tmp_path: Path, body_flag: str) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "data", "--shutdown-grace", f"{GRACE}s", body_flag) as server:
        yield server


def connected(server: ServerProcess, stack: ExitStack, data: bytes) -> Client:
    """A client that has begun to send."""
    wire = stack.enter_context(Wire(server.port))
    response = wire.request("POST", "/files/", upload_length=str(LENGTH))
    client = Client("/" + response.headers["location"].split("/", 3)[3], data, wire)
    client.begin()
    client.send(1)
    return client


def stored(server: ServerProcess) -> list[int]:
    """How long the files of unfinished uploads are."""
    return [file.stat().st_size for file in server.data_dir.glob("uploads/?/?/*")]


def wait_until_all_write(server: ServerProcess, count: int) -> None:
    deadline = time.monotonic() + 20
    while sum(size > 0 for size in stored(server)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def offset_of(server: ServerProcess, client: Client) -> int:
    with Wire(server.port) as wire:
        return int(wire.request("HEAD", client.path).headers["upload-offset"])


def finish(server: ServerProcess, client: Client, offset: int) -> bytes:
    rest = client.data[offset:]
    with Wire(server.port) as wire:
        patch = {"upload_offset": str(offset), "content_type": OFFSET_TYPE}
        assert 204 == wire.request("PATCH", client.path, rest, **patch).status
        return wire.request("GET", client.path).body


@pytest.mark.slow
def test_sigterm_with_a_hundred_uploads_in_flight_loses_nothing(server: ServerProcess) -> None:
    numbers = random.Random(8)  # noqa: S311 - a test must be repeatable
    with ExitStack() as stack:
        clients = [connected(server, stack, numbers.randbytes(LENGTH)) for _ in range(100)]
        wait_until_all_write(server, 100)
        silent, sending = clients[:SILENT], clients[SILENT:]
        threads = [threading.Thread(target=client.send_on) for client in sending]
        for thread in threads:
            thread.start()
        for client in silent:
            client.send(numbers.randrange(300_000))
            client.wire.wait_until_arrived()
        # What comes now has arrived at the machine, and the server has read none of it.
        os.kill(server.pid, signal.SIGSTOP)
        for client in silent:
            client.send(numbers.randrange(1, 30_000))
            client.wire.wait_until_arrived()

        began = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        os.kill(server.pid, signal.SIGCONT)
        # Half of them leave with their answer; the others stay and say nothing.
        for client in silent[::2]:
            assert 503 == client.wire.response().status
            client.wire.socket.close()
        assert 0 == server.wait()
        took = time.monotonic() - began
        for client in sending:
            client.stopped.set()
        for thread in threads:
            thread.join()

    assert took < GRACE
    server.start()
    offsets = {client.path: offset_of(server, client) for client in clients}
    assert {client.path: client.sent for client in silent} == {
        client.path: offsets[client.path] for client in silent
    }
    assert all(0 < offsets[client.path] <= client.sent for client in sending)
    for client in clients:
        assert client.data == finish(server, client, offsets[client.path])
