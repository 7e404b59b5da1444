"""What our protocol class adds to uvicorn, over real sockets."""

import asyncio
import contextlib
import gc
import hashlib
import socket
import struct
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tests.support.live import LiveServer, Wire, created, head, live, offset_of
from tusd_py import Config, FileStorage, SQLiteMetadata, TusApp
from tusd_py.serving import protocol
from tusd_py.serving.protocol import protocol_class

OFFSET_TYPE = "application/offset+octet-stream"


@pytest.fixture
def tus(tmp_path: Path, direct_body: bool) -> TusApp:
    return TusApp(
        storage=FileStorage(tmp_path),
        metadata=SQLiteMetadata(tmp_path / "tus.db"),
        config=Config(durability="process", idle_timeout=20, direct_body=direct_body),
    )


@pytest.fixture
def server(tus: TusApp) -> Iterator[LiveServer]:
    http = protocol_class(header_timeout=0.3, max_header_size=8192)
    with live(tus.below("/files"), http=http, timeout_graceful_shutdown=5) as server:
        yield server


def patch_head(path: str, offset: int, **headers: str) -> bytes:
    everything = {"upload_offset": str(offset), "content_type": OFFSET_TYPE, **headers}
    return head("PATCH", path, **everything)


def test_a_checksum_in_the_trailer_is_verified(server: LiveServer) -> None:
    path = created(server.port, 5)
    digest = b64encode(hashlib.sha1(b"hello", usedforsecurity=False).digest())
    with Wire(server.port) as wire:
        wire.send(
            patch_head(path, 0, trailer="Upload-Checksum", transfer_encoding="chunked"),
            b"5\r\nhello\r\n0\r\nUpload-Checksum: sha1 ",
            digest,
            b"\r\n\r\n",
        )
        assert 204 == wire.response().status


def test_a_wrong_checksum_in_the_trailer_discards_the_body(server: LiveServer) -> None:
    path = created(server.port, 5)
    digest = b64encode(hashlib.sha1(b"other", usedforsecurity=False).digest())
    with Wire(server.port) as wire:
        wire.send(
            patch_head(path, 0, trailer="Upload-Checksum", transfer_encoding="chunked"),
            b"5\r\nhello\r\n0\r\nUpload-Checksum: sha1 ",
            digest,
            b"\r\n\r\n",
        )
        assert 460 == wire.response().status
    assert 0 == offset_of(server.port, path)


def test_the_checksum_trailer_is_advertised(server: LiveServer) -> None:
    with Wire(server.port) as wire:
        response = wire.request("OPTIONS", "/files/")
    assert "checksum-trailer" in response.headers["tus-extension"].split(",")


def test_plain_uvicorn_does_not_advertise_the_checksum_trailer(tus: TusApp) -> None:
    with live(tus.below("/files"), http="httptools") as server, Wire(server.port) as wire:
        response = wire.request("OPTIONS", "/files/")
    assert "checksum-trailer" not in response.headers["tus-extension"].split(",")


def test_every_byte_that_arrived_before_a_disconnect_is_kept(server: LiveServer) -> None:
    path = created(server.port, 1_000_000)
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0, content_length="1000000"), b"x" * 300_001)
    assert 300_001 == offset_of(server.port, path)


def test_bytes_and_the_end_of_the_connection_in_one_segment_are_kept(server: LiveServer) -> None:
    path = created(server.port, 10)
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0, content_length="10"), b"hello")
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.closed()
    assert 5 == offset_of(server.port, path)


def test_a_reset_keeps_what_was_read_before(server: LiveServer) -> None:
    path = created(server.port, 10)
    with Wire(server.port) as wire, Wire(server.port) as other:
        wire.send(patch_head(path, 0, content_length="10"), b"hello")
        # A whole request on another connection: what came before it has been read.
        other.request("OPTIONS", "/files/")
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert 5 == offset_of(server.port, path)


def test_headers_that_never_end_are_answered_with_408(server: LiveServer) -> None:
    with Wire(server.port) as wire:
        wire.send(b"POST /files/ HTTP/1.1\r\nHost: x\r\n")
        assert 408 == wire.response().status
        assert wire.closed()


def test_a_connection_that_says_nothing_is_closed(server: LiveServer) -> None:
    with Wire(server.port) as wire:
        assert wire.closed()


def test_late_headers_of_a_second_request_are_answered_with_408(server: LiveServer) -> None:
    with Wire(server.port) as wire:
        assert 200 == wire.request("OPTIONS", "/files/").status
        wire.send(b"OPTIONS /files/ HTTP/1.1\r\n")
        assert 408 == wire.response().status


def test_a_connection_may_be_idle_between_requests(server: LiveServer) -> None:
    with Wire(server.port) as wire:
        assert 200 == wire.request("OPTIONS", "/files/").status
        # Longer than the headers of a request may take.
        wire.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            wire.socket.recv(1)
        assert 200 == wire.request("OPTIONS", "/files/").status


def test_a_connection_that_is_idle_for_too_long_is_closed(tus: TusApp) -> None:
    http = protocol_class(header_timeout=20, max_header_size=8192)
    settings = {"http": http, "timeout_keep_alive": 0.1}
    with live(tus.below("/files"), **settings) as server, Wire(server.port) as wire:
        assert 200 == wire.request("OPTIONS", "/files/").status
        assert wire.closed()


def test_a_refused_body_that_was_drained_does_not_keep_a_connection_for_ever(tus: TusApp) -> None:
    http = protocol_class(header_timeout=20, max_header_size=8192)
    settings = {"http": http, "timeout_keep_alive": 0.1}
    with live(tus.below("/files"), **settings) as server, Wire(server.port) as wire:
        wire.send(patch_head("/files/unknown", 0, content_length="5"))
        assert 404 == wire.response().status
        wire.send(b"hello")
        assert wire.closed()


def test_many_headers_are_answered_with_431(server: LiveServer) -> None:
    with Wire(server.port) as wire:
        wire.send(head("OPTIONS", "/files/", **{f"x{n}": "y" * 100 for n in range(100)}))
        assert 431 == wire.response().status
        assert wire.closed()


def test_a_header_without_end_is_answered_with_431(server: LiveServer) -> None:
    with Wire(server.port) as wire:
        # More than one read of the socket holds.
        wire.send(b"OPTIONS /files/ HTTP/1.1\r\nHost: x\r\nX-Long: ", b"y" * 600_000)
        assert 431 == wire.response().status


def test_trailers_without_end_close_the_connection(server: LiveServer) -> None:
    path = created(server.port, 5)
    with Wire(server.port) as wire:
        wire.send(
            patch_head(path, 0, trailer="Upload-Checksum", transfer_encoding="chunked"),
            b"5\r\nhello\r\n0\r\n",
        )
        wire.send(b"X-Long: ", b"y" * 600_000)
        assert 431 == wire.response().status


def test_after_an_early_answer_the_body_is_read_and_the_connection_serves_on(
    server: LiveServer,
) -> None:
    with Wire(server.port) as wire:
        body = b"x" * 3_000_000
        wire.send(patch_head("/files/unknown", 0, content_length=str(len(body))), body)
        assert 404 == wire.response().status
        assert 200 == wire.request("OPTIONS", "/files/").status


def test_too_much_after_an_early_answer_closes_the_connection(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "DRAIN_BYTES", 100_000)
    with Wire(server.port) as wire:
        wire.send(patch_head("/files/unknown", 0, content_length="3000000"))
        assert 404 == wire.response().status
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            wire.send(b"x" * 100_000_000)


def test_a_drain_that_trickles_closes_the_connection(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "DRAIN_SECONDS", 0.1)
    with Wire(server.port) as wire:
        wire.send(patch_head("/files/unknown", 0, content_length="3000000"), b"x")
        assert 404 == wire.response().status
        assert wire.closed()


def test_a_request_that_a_browser_repeats_whole_is_cut_soon(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "DRAIN_SECONDS_AFTER_CONFLICT", 0.1)
    path = created(server.port, 3_000_000)
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0, content_length="5"), b"hello")
        assert 204 == wire.response().status
        wire.send(patch_head(path, 0, content_length="3000000"), b"x")
        assert 409 == wire.response().status
        assert wire.closed()


def test_the_displaced_holder_gets_its_answer_although_it_still_sends(server: LiveServer) -> None:
    path = created(server.port, 1_000_000)
    with Wire(server.port) as first:
        first.send(patch_head(path, 0, content_length="1000000"), b"x" * 1000)
        assert 1000 == offset_of(server.port, path)
        first.send(b"y" * 500_000)
        response = first.response()
    assert 423 == response.status
    assert "close" == response.headers["connection"]
    assert 1000 == offset_of(server.port, path)


def test_the_signal_to_stop_reaches_a_running_upload_at_once(
    server: LiveServer, tmp_path: Path
) -> None:
    path = created(server.port, 1_000_000)
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0, content_length="1000000"), b"x" * 70_000)
        wire.wait_until_arrived()
        server.tell_to_stop()
        response = wire.response()
    assert 503 == response.status
    (stored,) = [file for file in (tmp_path / "uploads").rglob("*") if file.is_file()]
    assert 70_000 == stored.stat().st_size


def test_continue_is_not_sent_to_a_refused_request(server: LiveServer) -> None:
    with Wire(server.port) as wire:
        wire.send(patch_head("/files/unknown", 0, content_length="5", expect="100-continue"))
        assert 404 == wire.response().status


def test_continue_is_sent_when_the_body_is_wanted(server: LiveServer) -> None:
    path = created(server.port, 5)
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0, content_length="5", expect="100-continue"))
        assert 100 == wire.response().status
        wire.send(b"hello")
        assert 204 == wire.response().status


def test_pipelined_requests_are_answered_in_order(server: LiveServer) -> None:
    path = created(server.port, 10)
    with Wire(server.port) as wire:
        wire.send(
            patch_head(path, 0, content_length="5"),
            b"hello",
            patch_head(path, 5, content_length="5"),
            b"world",
            head("OPTIONS", "/files/"),
        )
        assert [204, 204, 200] == [wire.response().status for _ in range(3)]


def test_garbage_is_answered_with_400(server: LiveServer) -> None:
    with Wire(server.port) as wire:
        wire.send(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        assert 400 == wire.response().status


@pytest.mark.parametrize("count", [1, 3])
def test_garbage_behind_right_requests_is_refused_after_their_answers(
    server: LiveServer, count: int
) -> None:
    creation = head("POST", "/files/", upload_length="5", content_length="0")
    with Wire(server.port) as wire:
        wire.send(creation * count, b"EXTRA junk\r\n\r\n")
        assert [201] * count == [wire.response().status for _ in range(count)]
        assert 400 == wire.response().status
        assert wire.closed()


def test_broken_chunks_are_refused_at_once(server: LiveServer) -> None:
    path = created(server.port, 100)
    with Wire(server.port) as wire:
        wire.send(
            head(
                *("PATCH", path),
                upload_offset="0",
                content_type="application/offset+octet-stream",
                transfer_encoding="chunked",
            ),
            b"5\r\nhello\r\nzzz\r\n",
        )
        assert 400 == wire.response().status
        assert wire.closed()


def test_an_application_that_fails_is_answered_for() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401, ARG001 - ASGI
        await receive()
        raise RuntimeError("broken")

    http = protocol_class(header_timeout=1, max_header_size=8192)
    with live(broken, http=http, lifespan="off") as other, Wire(other.port) as wire:
        assert 500 == wire.request("GET", "/").status


def test_shutdown_waits_for_an_answer_that_is_on_its_way() -> None:
    release = threading.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401, ARG001 - ASGI
        await asyncio.to_thread(release.wait)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    http = protocol_class(header_timeout=1, max_header_size=8192)
    with live(slow, http=http, lifespan="off") as server, Wire(server.port) as wire:
        wire.send(head("GET", "/"))
        server.tell_to_stop()
        release.set()
        assert 200 == wire.response().status


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "anything"])
def test_a_request_that_asks_for_an_upgrade_is_read_as_one_that_does_not(
    server: LiveServer, protocol: str
) -> None:
    path = created(server.port, 10)
    upgrade = {"connection": "Upgrade, HTTP2-Settings", "upgrade": protocol}
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0, content_length="5", **upgrade), b"he")
        wire.send(b"llo")
        assert 204 == wire.response().status
        wire.send(
            patch_head(path, 5, transfer_encoding="chunked", **upgrade),
            b"5\r\nworld\r\n0\r\n\r\n",
        )
        assert 204 == wire.response().status
        assert b"helloworld" == wire.request("GET", path).body


def test_the_body_of_a_request_that_asks_for_an_upgrade_is_no_request(server: LiveServer) -> None:
    victim, path = created(server.port, 5), created(server.port, 1000)
    smuggled = head("DELETE", victim)
    with Wire(server.port) as wire:
        wire.send(
            patch_head(
                path, 0, content_length=str(len(smuggled)), connection="Upgrade", upgrade="h2c"
            )
        )
        wire.send(smuggled)
        response = wire.response()
    assert (204, str(len(smuggled))) == (response.status, response.headers["upload-offset"])
    assert 0 == offset_of(server.port, victim)


def test_connect_is_refused(server: LiveServer) -> None:
    with Wire(server.port) as wire:
        wire.send(b"CONNECT example.org:80 HTTP/1.1\r\nHost: example.org\r\n\r\n")
        assert 400 == wire.response().status


def test_requests_leave_nothing_for_the_garbage_collector(server: LiveServer) -> None:
    body = {"upload_length": "5", "content_type": OFFSET_TYPE}
    # Before the connection: it takes longer than the server waits for a request.
    gc.collect()
    with Wire(server.port) as wire:
        gc.disable()
        try:
            for _ in range(10):
                wire.request("POST", "/files/", b"hello", **body)
            left = [found for found in gc.get_objects() if isinstance(found, RequestResponseCycle)]
        finally:
            gc.enable()

    # The protocol keeps the last one.
    assert 1 == len(left)


def test_requests_far_ahead_of_their_answers_close_the_connection(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MOST_PIPELINED", 10)
    path = created(server.port, 10)
    with Wire(server.port) as wire:
        # The first one waits for its body and keeps the others waiting.
        wire.send(patch_head(path, 0, content_length="5"), b"hello", head("OPTIONS", "/") * 30)
        statuses: list[int] = []
        with contextlib.suppress(ConnectionError):
            while len(statuses) < 30:
                statuses.append(wire.response().status)
    assert len(statuses) < 30
