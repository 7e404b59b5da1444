"""Downloads of both ways: several readers at once, and readers who do not read."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.census import nothing_leaks, wait_for_connections
from tests.support.live import LiveServer, Wire, created, head, live
from tusd_py import Config, FileStorage, SQLiteMetadata, TusApp
from tusd_py.serving.protocol import TusProtocol, protocol_class

OFFSET_TYPE = "application/offset+octet-stream"
LENGTH = 24_000_000
DATA = bytes(range(256)) * (LENGTH // 256)
# How long nobody needs to read.
PATIENCE = 0.8


@pytest.fixture
def tus(tmp_path: Path, direct_body: bool) -> TusApp:
    return TusApp(
        storage=FileStorage(tmp_path),
        metadata=SQLiteMetadata(tmp_path / "tus.db"),
        config=Config(
            durability="process", lock_timeout=0.1, sweep_interval=0, direct_body=direct_body
        ),
    )


@pytest.fixture
def server(tus: TusApp) -> Iterator[LiveServer]:
    http = protocol_class(header_timeout=5, max_header_size=8192, read_timeout=PATIENCE)
    with live(tus.below("/files"), http=http, timeout_graceful_shutdown=30) as server:
        yield server


@pytest.fixture
def path(server: LiveServer) -> str:
    """A finished upload."""
    path = created(server.port, LENGTH)
    with Wire(server.port) as wire:
        patch = {"upload_offset": "0", "content_type": OFFSET_TYPE}
        assert 204 == wire.request("PATCH", path, DATA, **patch).status
    return path


def reader(server: LiveServer, path: str) -> Wire:
    """A client that has asked for a file, and reads slowly or not at all."""
    wire = Wire(server.port, receive_buffer=8192)
    wire.send(head("GET", path))
    return wire


def rest_of(wire: Wire) -> int:
    """How many bytes more there are until the server ends the connection."""
    count = 0
    while data := wire.socket.recv(1_000_000):
        count += len(data)
    return count


def test_two_readers_and_a_head_at_once(server: LiveServer, path: str) -> None:
    with reader(server, path) as first, reader(server, path) as second, Wire(server.port) as wire:
        # Both have begun, and neither has ended.
        assert b"HTTP/1.1 200" == first.socket.recv(12)
        assert b"HTTP/1.1 200" == second.socket.recv(12)

        assert str(LENGTH) == wire.request("HEAD", path).headers["upload-offset"]
        assert DATA == wire.request("GET", path).body


def test_what_waits_for_a_reader_who_does_not_read_is_little(
    server: LiveServer, path: str, direct_body: bool
) -> None:
    with reader(server, path) as wire:
        assert b"HTTP/1.1 200" == wire.socket.recv(12)
        in_memory, in_file = 0, 0
        deadline = time.monotonic() + 5
        while not (in_memory or in_file) and time.monotonic() < deadline:
            for found in tuple(server.server_state.connections):
                assert isinstance(found, TusProtocol)
                in_memory = found.transport.get_write_buffer_size()
                in_file = found._sending.left if found._sending is not None else 0

    assert (direct_body, not direct_body) == (in_file > 0, in_memory > 0)
    assert in_memory <= 256 * 1024


def test_readers_do_not_disturb_who_writes_and_the_other_way_round(
    server: LiveServer, path: str
) -> None:
    other = created(server.port, LENGTH)
    with Wire(server.port) as writer, Wire(server.port) as wire:
        patch = {"upload_offset": "0", "content_type": OFFSET_TYPE}
        writer.send(head("PATCH", other, content_length=str(LENGTH), **patch), DATA[:1_000_000])
        assert DATA == wire.request("GET", path).body
        assert str(LENGTH) == wire.request("HEAD", path).headers["upload-offset"]
        writer.send(DATA[1_000_000:])
        assert 204 == writer.response().status


def test_finished_uploads_are_read_without_a_lock(
    server: LiveServer, tus: TusApp, path: str
) -> None:
    engine = tus._runtime.engine
    assert engine is not None

    def locked(*_: object, **__: object) -> None:
        raise AssertionError("A lock was taken.")

    engine.locks.hold = locked  # type: ignore[assignment, method-assign]
    with Wire(server.port) as wire:
        assert 200 == wire.request("HEAD", path).status
        assert DATA == wire.request("GET", path).body


def test_a_reader_who_never_reads_is_cut_off(server: LiveServer, tus: TusApp, path: str) -> None:
    with nothing_leaks(server, tus), reader(server, path):
        wait_for_connections(server, 1)
        wait_for_connections(server, 0)


def test_a_small_answer_that_nobody_reads_does_not_hold_a_connection_for_ever(
    server: LiveServer, tus: TusApp, path: str
) -> None:
    with nothing_leaks(server, tus), Wire(server.port, receive_buffer=8192) as wire:
        wire.send(head("OPTIONS", path) * 900)
        wait_for_connections(server, 1)
        wire.send(head("GET", path))
        wait_for_connections(server, 0)


@pytest.mark.slow
def test_a_slow_reader_is_borne(server: LiveServer, path: str) -> None:
    with reader(server, path) as wire:
        began = time.monotonic()
        while time.monotonic() - began < 3 * PATIENCE:
            assert wire.socket.recv(100_000)
            time.sleep(PATIENCE / 50)
        wait_for_connections(server, 1)


def test_who_leaves_is_not_read_for(
    server: LiveServer,
    tus: TusApp,
    path: str,
    direct_body: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read, sendfile, used = os.read, os.sendfile, [0, 0]

    def counting_read(file: int, size: int) -> bytes:
        data = read(file, size)
        used[0] += len(data)
        return data

    def counting_sendfile(target: int, source: int, offset: int, size: int) -> int:
        sent = sendfile(target, source, offset, size)
        used[1] += sent
        return sent

    monkeypatch.setattr(os, "read", counting_read)
    monkeypatch.setattr(os, "sendfile", counting_sendfile)
    with nothing_leaks(server, tus), reader(server, path) as wire:
        taken = 0
        while taken < 1000:
            taken += len(wire.socket.recv(1000))

    assert 0 < used[direct_body] < LENGTH // 2


@pytest.mark.parametrize("read_before", [0, LENGTH - 1_000_000])
def test_the_stop_does_not_wait_for_who_does_not_read(tus: TusApp, read_before: int) -> None:
    http = protocol_class(header_timeout=5, max_header_size=8192, read_timeout=60)
    with live(tus.below("/files"), http=http, timeout_graceful_shutdown=30) as server:
        path = created(server.port, LENGTH)
        with Wire(server.port) as wire:
            patch = {"upload_offset": "0", "content_type": OFFSET_TYPE}
            assert 204 == wire.request("PATCH", path, DATA, **patch).status
        with reader(server, path) as wire:
            wire.socket.recv(12)
            while read_before > 0:
                read_before -= len(wire.socket.recv(1_000_000))
            began = time.monotonic()
            server.tell_to_stop()
            wait_for_connections(server, 0)
            assert time.monotonic() - began < 5


def test_the_stop_waits_for_who_reads(server: LiveServer, path: str) -> None:
    with reader(server, path) as wire:
        wire.socket.recv(12)
        server.tell_to_stop()
        assert LENGTH < 12 + rest_of(wire)
