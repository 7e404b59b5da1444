"""Bodies that are taken straight from the socket, and the connection before and after that."""

import errno
import gc
import os
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.census import nothing_leaks, wait_for_connections
from tests.support.live import (
    LiveServer,
    Wire,
    created,
    head,
    live,
    offset_of,
    patch_head,
    wait_until_stored,
)
from tusd_py import Config, FileStorage, SQLiteMetadata, TusApp
from tusd_py.protocol.checksum import ALGORITHMS, Verifier
from tusd_py.serving import handover, protocol
from tusd_py.serving.handover import HandedOver
from tusd_py.serving.protocol import TusProtocol, protocol_class
from tusd_py.streaming.connection import EXTENSION

DATA = Random(3).randbytes(3_000_000)  # noqa: S311 - a test must be repeatable
OFFSET_TYPE = "application/offset+octet-stream"
# So many bytes are made durable at once, and each time the connection is given back.
STEP = 1_000_000
PATIENCE = 10.0


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[HandedOver]:
    """What was handed over so far."""
    found: list[HandedOver] = []

    class Noted(HandedOver):
        def __init__(self, *args: Any) -> None:  # noqa: ANN401 - the parent's
            super().__init__(*args)
            found.append(self)

    monkeypatch.setattr(protocol, "HandedOver", Noted)
    return found


@pytest.fixture
def tus(tmp_path: Path) -> TusApp:
    return TusApp(
        storage=FileStorage(tmp_path),
        metadata=SQLiteMetadata(tmp_path / "tus.db"),
        config=Config(durability="process", sweep_interval=0, sync_bytes=STEP),
    )


@pytest.fixture
def server(tus: TusApp) -> Iterator[LiveServer]:
    http = protocol_class(header_timeout=10, max_header_size=8192)
    with live(tus.below("/files"), http=http, timeout_graceful_shutdown=5) as server:
        # What is opened once is open before anything is counted.
        uploaded(server, DATA)
        yield server


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def begun(wire: Wire, path: str, handed: list[HandedOver], length: int = len(DATA)) -> None:
    """Send the head of a PATCH, and wait until its body was handed over, with no byte of it."""
    before = len(handed)
    wire.send(patch_head(path, length))
    wait_until(lambda: len(handed) > before)


def uploaded(server: LiveServer, data: bytes) -> None:
    """Upload something whole."""
    path = created(server.port, len(data))
    with Wire(server.port) as wire:
        wire.send(patch_head(path, len(data)), data)
        assert 204 == wire.response().status


def stored(wire: Wire, path: str) -> bytes:
    return wire.request("GET", path).body


def test_a_body_comes_whole_and_the_connection_serves_on(
    server: LiveServer, tmp_path: Path, handed: list[HandedOver]
) -> None:
    path = created(server.port, len(DATA))
    with Wire(server.port) as wire:
        begun(wire, path, handed)
        wire.send(DATA[:1_000_001])
        wait_until_stored(tmp_path, 1_000_001)
        wire.send(DATA[1_000_001:])
        assert 204 == wire.response().status
        assert DATA == stored(wire, path)


def test_the_bytes_that_came_with_the_head_come_first(
    server: LiveServer, handed: list[HandedOver]
) -> None:
    path = created(server.port, len(DATA))
    with Wire(server.port) as wire:
        wire.send(patch_head(path, len(DATA)), DATA)
        assert 204 == wire.response().status
        assert DATA == stored(wire, path)
    assert handed[0].first


def test_the_next_request_behind_the_body_is_left_to_the_parser(
    server: LiveServer, handed: list[HandedOver]
) -> None:
    path = created(server.port, len(DATA) + 5)
    with Wire(server.port) as wire:
        begun(wire, path, handed)
        more = {"upload_offset": str(len(DATA)), "content_type": OFFSET_TYPE}
        following = head("PATCH", path, content_length="5", **more)
        wire.send(DATA, following, b"hello", head("OPTIONS", "/files/"))
        assert [204, 204, 200] == [wire.response().status for _ in range(3)]
        assert DATA + b"hello" == stored(wire, path)


def test_a_creation_with_its_bytes_is_taken_too(
    server: LiveServer, handed: list[HandedOver]
) -> None:
    size = str(len(DATA))
    with Wire(server.port) as wire:
        wire.send(
            head(
                *("POST", "/files/"),
                upload_length=size,
                content_length=size,
                content_type=OFFSET_TYPE,
            ),
            DATA,
        )
        response = wire.response()
        assert (201, size) == (response.status, response.headers["upload-offset"])
        assert DATA == stored(wire, "/" + response.headers["location"].split("/", 3)[3])
    assert handed


def test_a_body_is_handed_over_for_each_step(server: LiveServer, handed: list[HandedOver]) -> None:
    path = created(server.port, len(DATA))
    with Wire(server.port) as wire:
        begun(wire, path, handed)
        wire.send(DATA)
        assert 204 == wire.response().status
        assert DATA == stored(wire, path)
    assert 3 == len(handed)


def test_a_request_is_not_handed_the_body_of_the_one_behind_it() -> None:
    found: list[object] = []

    async def greedy(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401, ARG001 - ASGI
        if scope["method"] == "GET":
            found.append(scope["extensions"][EXTENSION].hand_over(None))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    http = protocol_class(header_timeout=10, max_header_size=8192)
    with live(greedy, http=http, lifespan="off") as server, Wire(server.port) as wire:
        # In one segment, so that both have been read when the first is begun.
        wire.send(head("GET", "/"), patch_head("/", 1000), DATA[:10])
        assert 204 == wire.response().status
        assert [None] == found


@pytest.mark.parametrize(
    "options",
    [
        {"transfer_encoding": "chunked"},
        {"content_length": "5", "upload_length": "5"},
    ],
    ids=["chunked", "whole"],
)
def test_what_has_no_known_rest_is_not_handed_over(
    server: LiveServer, handed: list[HandedOver], options: dict[str, str]
) -> None:
    chunked = "transfer_encoding" in options
    body = b"5\r\nhello\r\n0\r\n\r\n" if chunked else b"hello"
    path = created(server.port, 5)
    more = {"upload_offset": "0", "content_type": OFFSET_TYPE}
    with Wire(server.port) as wire:
        wire.send(head("PATCH", path, **more, **options), body)
        assert 204 == wire.response().status
    assert not handed


def test_what_is_small_is_not_handed_over(
    server: LiveServer, handed: list[HandedOver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "SMALLEST", 1_000_000)
    path = created(server.port, 999_999)
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 999_999), DATA[:999_999])
        assert 204 == wire.response().status
    assert not handed


def test_the_setting_turns_it_off(tmp_path: Path, handed: list[HandedOver]) -> None:
    tus = TusApp(
        storage=FileStorage(tmp_path),
        metadata=SQLiteMetadata(tmp_path / "tus.db"),
        config=Config(direct_body=False),
    )
    http = protocol_class(header_timeout=10, max_header_size=8192)
    with live(tus.below("/files"), http=http) as server, Wire(server.port) as wire:
        path = created(server.port, len(DATA))
        wire.send(patch_head(path, len(DATA)), DATA)
        assert 204 == wire.response().status
        assert DATA == stored(wire, path)
    assert not handed


def test_the_old_protocol_version_is_no_obstacle(
    server: LiveServer, handed: list[HandedOver]
) -> None:
    """Some proxies speak it."""
    path = created(server.port, len(DATA))
    with Wire(server.port) as wire:
        wire.send(patch_head(path, len(DATA)).replace(b"HTTP/1.1", b"HTTP/1.0"), DATA)
        assert 204 == wire.response().status
        assert wire.closed()
    assert len(DATA) == offset_of(server.port, path)
    assert handed


def test_what_follows_a_body_that_was_left_is_still_its_rest(
    server: LiveServer, tmp_path: Path, handed: list[HandedOver]
) -> None:
    victim, path = created(server.port, 5), created(server.port, 2000)
    smuggled = head("DELETE", victim).ljust(1000)
    with Wire(server.port) as wire:
        begun(wire, path, handed, 2000)
        wire.send(DATA[:1000])
        wait_until_stored(tmp_path, 1000)
        # A rival ends the transfer.
        assert 1000 == offset_of(server.port, path)
        assert 423 == wire.response().status
        wire.send(smuggled)
        # Only an end that nobody holds open is one.
        assert wire.closed()
    assert 0 == offset_of(server.port, victim)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("body", "status"), [(DATA, 204), (DATA[::-1], 460)])
def test_checksums_are_verified(
    server: LiveServer, handed: list[HandedOver], algorithm: str, body: bytes, status: int
) -> None:
    path = created(server.port, len(DATA))
    verifier = Verifier([algorithm])
    verifier.update(DATA)
    digest = b64encode(verifier._hashes[algorithm].digest()).decode()
    checksum = f"upload-checksum: {algorithm} {digest}\r\n\r\n".encode()
    with Wire(server.port) as wire:
        wire.send(patch_head(path, len(DATA)).removesuffix(b"\r\n"), checksum, body)
        assert status == wire.response().status
        assert (len(DATA) if status == 204 else 0) == offset_of(server.port, path)
    assert 1 == len(handed)


def full_disk(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Let so many bytes be moved from pipes into files, and then never another one."""
    splice = os.splice
    left = [room]

    def limited(source: int, target: int, size: int, **options: Any) -> int:  # noqa: ANN401
        if options.get("offset_dst") is None:
            return splice(source, target, size, **options)
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = splice(source, target, min(size, left[0]), **options)
        left[0] -= written
        return written

    monkeypatch.setattr(os, "splice", limited)


@pytest.mark.parametrize("upgrade", [{}, {"connection": "Upgrade", "upgrade": "h2c"}])
def test_after_a_failure_in_mid_body_the_connection_serves_on(
    server: LiveServer,
    handed: list[HandedOver],
    monkeypatch: pytest.MonkeyPatch,
    upgrade: dict[str, str],
) -> None:
    path = created(server.port, len(DATA))
    with monkeypatch.context() as patch, Wire(server.port) as wire:
        full_disk(patch, 100_000)
        begun(wire, path, handed)
        wire.send(DATA, head("OPTIONS", "/files/", **upgrade))
        assert 507 == wire.response().status
        assert 200 == wire.response().status
    assert 100_000 == offset_of(server.port, path)


def test_after_a_failure_others_get_their_own_bytes_only(
    server: LiveServer, handed: list[HandedOver], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = created(server.port, len(DATA)), created(server.port, len(DATA))
    with monkeypatch.context() as patch, Wire(server.port) as wire:
        full_disk(patch, 100_000)
        begun(wire, path, handed)
        wire.send(b"x" * len(DATA))
        assert 507 == wire.response().status
    with Wire(server.port) as wire:
        begun(wire, other, handed)
        wire.send(DATA)
        assert 204 == wire.response().status
        assert DATA == stored(wire, other)


def test_a_connection_that_ends_on_our_side_ends_for_the_client_too(
    server: LiveServer, tus: TusApp, tmp_path: Path, handed: list[HandedOver]
) -> None:
    path = created(server.port, len(DATA))
    with nothing_leaks(server, tus):
        with Wire(server.port) as wire:
            begun(wire, path, handed)
            wire.send(DATA[:1000])
            wait_until_stored(tmp_path, 1000)
            (connection,) = server.server_state.connections
            server.loop.call_soon_threadsafe(connection.transport.abort)
            assert wire.closed()
        assert 1000 == offset_of(server.port, path)


def test_a_request_that_is_given_up_leaves_nothing_open(
    server: LiveServer, tus: TusApp, tmp_path: Path, handed: list[HandedOver]
) -> None:
    path = created(server.port, len(DATA))
    with nothing_leaks(server, tus):
        with Wire(server.port) as wire:
            begun(wire, path, handed)
            wire.send(DATA[:1000])
            wait_until_stored(tmp_path, 1000)
            (task,) = server.server_state.tasks
            server.loop.call_soon_threadsafe(task.cancel)
            assert 500 == wire.response().status
        assert 1000 == offset_of(server.port, path)


def connections_in_memory() -> int:
    return sum(isinstance(found, TusProtocol) for found in gc.get_objects())


def test_connections_leave_nothing_for_the_garbage_collector(
    server: LiveServer, handed: list[HandedOver]
) -> None:
    wait_for_connections(server, 0)
    gc.collect()
    before = connections_in_memory()
    gc.disable()
    try:
        for _ in range(5):
            uploaded(server, DATA)
        wait_for_connections(server, 0)
        handed.clear()
        wait_until(lambda: connections_in_memory() <= before)
    finally:
        gc.enable()


def test_more_uploads_than_threads_come_whole(server: LiveServer, handed: list[HandedOver]) -> None:
    paths = [created(server.port, len(DATA)) for _ in range(24)]
    bodies = [DATA[shift:] + DATA[:shift] for shift in range(24)]

    def upload(path: str, body: bytes) -> bytes:
        with Wire(server.port) as wire:
            wire.send(patch_head(path, len(body)), body)
            assert 204 == wire.response().status
            return stored(wire, path)

    with ThreadPoolExecutor(24) as clients:
        assert bodies == list(clients.map(upload, paths, bodies))
    assert 24 <= len(handed)


def test_clients_that_say_nothing_hold_up_nobody(
    server: LiveServer, handed: list[HandedOver]
) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            silent = stack.enter_context(Wire(server.port))
            begun(silent, created(server.port, len(DATA)), handed)
            silent.send(DATA[:1000])
        path = created(server.port, len(DATA))
        with Wire(server.port) as wire:
            begun(wire, path, handed)
            wire.send(DATA)
            assert 204 == wire.response().status
