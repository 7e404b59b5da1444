"""What the server holds in memory for clients that send or read slowly, over real sockets."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.support.live import LiveServer, Wire, created, head, live, patch_head, uploaded
from tests.support.workers import wait_until
from tusd_py import Config, FileStorage, MemoryMetadata, MemoryStorage, TusApp
from tusd_py.asgi import endpoints
from tusd_py.asgi.buffers import Buffers
from tusd_py.asgi.exchange import Exchange
from tusd_py.network import Monitor
from tusd_py.quantities import KiB, MiB
from tusd_py.serving import handover
from tusd_py.serving.protocol import protocol_class
from tusd_py.storage import Storage
from tusd_py.streaming.budget import BufferBudget
from tusd_py.streaming.buffers import SMALL
from tusd_py.streaming.inlet import Inlet
from tusd_py.streaming.pieces import Pieces

LARGE = Random(7).randbytes(MiB) * 24  # noqa: S311 - a test must be repeatable
# Some 400 KiB in a second.
STEP, PAUSE = 8 * KiB, 0.02
STEPS = 60
# For a piece that waits so many seconds, the client is waited for: the kernel takes others at once.
WAITING = 0.05


class Held:
    """The most bytes that waited in memory since a test last asked."""

    def __init__(self) -> None:
        self._most = 0
        self._waiting: list[tuple[float, int]] = []

    def note(self, size: int) -> None:
        self._most = max(self._most, size)

    @contextmanager
    def waiting(self, size: int) -> Iterator[None]:
        """Note bytes that wait for longer than a moment."""
        entry = (time.monotonic(), size)
        self._waiting.append(entry)
        try:
            yield
        finally:
            self._look()
            self._waiting.remove(entry)

    def most(self) -> int:
        self._look()
        most, self._most = self._most, 0
        return most

    def _look(self) -> None:
        for began, size in tuple(self._waiting):
            if time.monotonic() - began > WAITING:
                self.note(size)


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Held:
    """What came and was not written yet, whichever way it came."""
    held = Held()
    take, read = BufferBudget.take, Inlet.read

    def noted_take(self: BufferBudget, size: int) -> None:
        take(self, size)
        held.note(self.held)

    def noted_read(self: Inlet, size: int) -> bytes:
        data = read(self, size)
        held.note(len(data))
        return data

    monkeypatch.setattr(BufferBudget, "take", noted_take)
    monkeypatch.setattr(Inlet, "read", noted_read)
    return held


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> Held:
    """What was read of downloads and had to wait for the client."""
    held = Held()
    hold = Pieces.held

    @contextmanager
    def noted(self: Pieces, size: int) -> Iterator[None]:
        with hold(self, size), held.waiting(size):
            yield

    monkeypatch.setattr(Pieces, "held", noted)
    return held


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of bodies that were written at once, so far."""
    sizes: list[int] = []
    moved = Buffers.moved

    def noted(self: Buffers, size: int) -> None:
        moved(self, size)
        sizes.append(size)

    monkeypatch.setattr(Buffers, "moved", noted)
    return sizes


def spliced(_: pytest.MonkeyPatch) -> bool:
    return True


def read_from_the_socket(patch: pytest.MonkeyPatch) -> bool:
    patch.delattr(os, "splice")
    return True


def through_receive(_: pytest.MonkeyPatch) -> bool:
    return False


@pytest.fixture(params=[spliced, read_from_the_socket, through_receive])
def taking(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[LiveServer]:
    """A server that takes bodies in one of the ways that there are."""
    direct: bool = request.param(monkeypatch)
    with serving(FileStorage(tmp_path), direct=direct) as server:
        yield server


def refuse_to_send(patch: pytest.MonkeyPatch, folder: Path) -> Storage:
    def refuse(*_: int) -> int:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    patch.setattr(os, "sendfile", refuse)
    return FileStorage(folder)


def refuse_duplicates(patch: pytest.MonkeyPatch, folder: Path) -> Storage:
    patch.setattr(handover, "duplicate_of", lambda _: None)
    return FileStorage(folder)


def offer_nothing(patch: pytest.MonkeyPatch, folder: Path) -> Storage:
    patch.setattr(Exchange, "sending", lambda *_: frozenset())
    return FileStorage(folder)


def keep_in_memory(_: pytest.MonkeyPatch, __: Path) -> Storage:
    return MemoryStorage()


@pytest.fixture(params=[refuse_to_send, refuse_duplicates, offer_nothing, keep_in_memory])
def giving(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[LiveServer]:
    """A server that reads downloads in one of the ways that there are."""
    with serving(request.param(monkeypatch, tmp_path), direct=True) as server:
        yield server


@contextmanager
def serving(storage: Storage, *, direct: bool) -> Iterator[LiveServer]:
    config = Config(durability="process", sweep_interval=0, direct_body=direct)
    tus = TusApp(storage=storage, metadata=MemoryMetadata(), config=config)
    http = protocol_class(header_timeout=10, max_header_size=8192)
    with live(tus.below("/files"), http=http, timeout_graceful_shutdown=5) as server:
        yield server


def send_slowly(wire: Wire) -> None:
    for _ in range(STEPS):
        wire.send(bytes(STEP))
        time.sleep(PAUSE)


def read_slowly(wire: Wire, server: LiveServer) -> int:
    """Read some; gives the most bytes that the server's transport held meanwhile."""
    held = []
    for _ in range(STEPS):
        assert wire.socket.recv(STEP)
        time.sleep(PAUSE)
        held += [
            each.transport.get_write_buffer_size()
            for each in tuple(server.server_state.connections)
        ]
    return max(held)


def read_fast(wire: Wire, size: int) -> None:
    while size > 0:
        more = wire.socket.recv(size)
        assert more
        size -= len(more)


def test_of_a_slow_sender_little_is_held(taking: LiveServer, received: Held) -> None:
    path = created(taking.port, STEPS * STEP)
    with Wire(taking.port) as wire:
        wire.send(patch_head(path, STEPS * STEP))
        send_slowly(wire)
        assert 204 == wire.response().status

    assert received.most() <= SMALL


def test_of_a_sender_that_becomes_slow_little_is_held(
    written: list[int], taking: LiveServer, received: Held
) -> None:
    size = len(LARGE) + STEPS * STEP
    path = created(taking.port, size)
    with Wire(taking.port) as wire:
        wire.send(patch_head(path, size), LARGE)
        wait_until(lambda: sum(written) == len(LARGE))
        received.most()
        send_slowly(wire)
        assert 204 == wire.response().status

    assert received.most() <= SMALL


def test_for_a_slow_reader_little_is_held(giving: LiveServer, unread: Held) -> None:
    path = uploaded(giving.port, LARGE)
    with Wire(giving.port, receive_buffer=32 * KiB) as wire:
        wire.send(head("GET", path))
        assert 0 < read_slowly(wire, giving) <= SMALL
        assert 0 < unread.most() <= SMALL


def test_for_a_reader_that_becomes_slow_little_is_held(giving: LiveServer, unread: Held) -> None:
    path = uploaded(giving.port, LARGE)
    with Wire(giving.port, receive_buffer=256 * KiB) as wire:
        wire.send(head("GET", path))
        # Less than would make it a client that reads a lot.
        read_fast(wire, len(LARGE) // 4)
        time.sleep(0.5)
        assert 0 < read_slowly(wire, giving) <= SMALL
        assert 0 < unread.most() <= SMALL


def test_the_link_is_known_by_this_machines_end_of_the_connection(
    taking: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[bool, str | None]] = []

    def noted(monitor: Monitor | None, address: str | None) -> int | None:
        asked.append((monitor is not None, address))
        return None

    monkeypatch.setattr(endpoints, "start_size", noted)
    uploaded(taking.port, LARGE)

    assert {(True, "127.0.0.1")} == set(asked)
