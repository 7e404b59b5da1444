"""What networks and bad clients do to an upload, over real sockets.

After each of it the offset is right, the upload is completed by who resumes it, and the server
holds no more than before.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.census import nothing_leaks, wait_for_connections
from tests.support.live import LiveServer, Wire, head, live
from tests.support.proxy import CuttingProxy, Ending
from tusd_py import Config, FileStorage, SQLiteMetadata, TusApp
from tusd_py.serving import protocol
from tusd_py.serving.protocol import protocol_class

OFFSET_TYPE = "application/offset+octet-stream"
LENGTH = 300_000
DATA = (bytes(range(256)) * 1172)[:LENGTH]
IDLE = 0.4


@pytest.fixture
def tus(tmp_path: Path, direct_body: bool) -> TusApp:
    return TusApp(
        storage=FileStorage(tmp_path / "data"),
        metadata=SQLiteMetadata(tmp_path / "data" / "tus.db"),
        config=Config(
            durability="process", idle_timeout=IDLE, sweep_interval=0, direct_body=direct_body
        ),
    )


@pytest.fixture
def server(tus: TusApp) -> Iterator[LiveServer]:
    http = protocol_class(header_timeout=0.3, max_header_size=8192)
    with live(tus.below("/files"), http=http, timeout_graceful_shutdown=5) as server:
        # What is opened once, at the first upload, is open before anything is counted.
        path = created(server)
        patch(server, path, 0, DATA)
        yield server


@pytest.fixture
def path(server: LiveServer, tus: TusApp) -> Iterator[str]:
    """An upload without bytes, and the proof that nothing of the test is left."""
    path = created(server)
    with nothing_leaks(server, tus):
        yield path


def created(server: LiveServer) -> str:
    with Wire(server.port) as wire:
        response = wire.request("POST", "/files/", upload_length=str(LENGTH))
    assert 201 == response.status
    return "/" + response.headers["location"].split("/", 3)[3]


def patch(server: LiveServer, path: str, offset: int, data: bytes) -> None:
    with Wire(server.port) as wire:
        wire.send(patch_head(path, offset, content_length=str(len(data))), data)
        assert 204 == wire.response().status


def patch_head(path: str, offset: int, **headers: str) -> bytes:
    everything = {"upload_offset": str(offset), "content_type": OFFSET_TYPE, **headers}
    return head("PATCH", path, **everything)


def whole(path: str) -> bytes:
    """The head of a request with all bytes of the upload."""
    return patch_head(path, 0, content_length=str(LENGTH))


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def offset_of(server: LiveServer, path: str) -> int:
    with Wire(server.port) as wire:
        return int(wire.request("HEAD", path).headers["upload-offset"])


def resume(server: LiveServer, path: str) -> int:
    """Complete an upload from where it stands, and return where that was."""
    offset = offset_of(server, path)
    patch(server, path, offset, DATA[offset:])
    with Wire(server.port) as wire:
        assert DATA == wire.request("GET", path).body
    return offset


def await_read(server: LiveServer) -> None:
    """Wait until the server has read what came before, by a whole request after it."""
    with Wire(server.port) as wire:
        assert 200 == wire.request("OPTIONS", "/files/").status


@pytest.mark.parametrize("sent", [0, 1, 65_536, 299_999])
def test_an_end_in_mid_body(server: LiveServer, path: str, sent: int) -> None:
    with Wire(server.port) as wire:
        wire.send(whole(path), DATA[:sent])

    assert sent == resume(server, path)


@pytest.mark.parametrize("sent", [0, 1, 1000])
def test_a_reset_in_mid_body(server: LiveServer, path: str, sent: int) -> None:
    with Wire(server.port) as wire:
        wire.send(whole(path), DATA[:sent])
        await_read(server)
        wire.reset()

    assert sent == resume(server, path)


def test_a_reset_while_bytes_are_on_their_way(server: LiveServer, path: str) -> None:
    with CuttingProxy(f"http://127.0.0.1:{server.port}", [200_000], endings=[Ending.RESET]) as way:
        with Wire(way.port) as wire, contextlib.suppress(OSError):
            wire.send(whole(path), DATA)
            wire.closed()

        # What the kernel had and the server had not read is lost with a RST.
        assert 0 <= resume(server, path) <= way.cuts[0].delivered


@pytest.mark.parametrize("client_leaves", [False, True])
def test_a_black_hole_is_left_for_another_connection(
    server: LiveServer, path: str, monkeypatch: pytest.MonkeyPatch, client_leaves: bool
) -> None:
    monkeypatch.setattr(protocol, "DRAIN_SECONDS", 0.2)
    with black_hole(server) as way, Wire(way.port) as wire:
        wire.send(whole(path), DATA)
        if client_leaves:
            wire.socket.close()
        wait_until(lambda: bool(way.cuts))

        assert way.cuts[0].accepted - len(whole(path)) == resume(server, path)
        wait_for_connections(server, 0)


def test_a_half_open_connection_that_nobody_asks_about_ends_by_itself(
    server: LiveServer, tus: TusApp, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "DRAIN_SECONDS", 0.2)
    with black_hole(server) as way:
        with Wire(way.port) as wire:
            wire.send(whole(path), DATA)
            wait_until(lambda: bool(way.cuts))
        # It may not even have been accepted yet.
        await_read(server)
        wait_for_connections(server, 0)
        arrived = way.cuts[0].accepted - len(whole(path))

    assert arrived == stored_size(tus)
    assert arrived == resume(server, path)


def black_hole(server: LiveServer) -> CuttingProxy:
    """A way to the server on which everything after some bytes vanishes."""
    url = f"http://127.0.0.1:{server.port}"
    return CuttingProxy(url, [200_000], endings=[Ending.VANISH])


def stored_size(tus: TusApp) -> int:
    """How long the one unfinished file is."""
    storage = tus._storage
    assert isinstance(storage, FileStorage)
    files = [file for file in (Path(storage.root) / "uploads").rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


@pytest.mark.slow
def test_a_slow_link_is_borne(server: LiveServer, path: str) -> None:
    patch(server, path, 0, DATA[:-8000])
    with CuttingProxy(f"http://127.0.0.1:{server.port}", rate=5000) as way, Wire(way.port) as wire:
        # Three times as long as silence is borne.
        wire.send(patch_head(path, LENGTH - 8000, content_length="8000"), DATA[-8000:])
        assert 204 == wire.response().status

    assert LENGTH == offset_of(server, path)


def test_one_byte_at_a_time(server: LiveServer, path: str) -> None:
    with Wire(server.port) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in patch_head(path, 0, content_length="1000") + DATA[:1000]:
            wire.send(bytes([byte]))
        assert 204 == wire.response().status

    assert 1000 == resume(server, path)


def test_one_byte_in_each_chunk(server: LiveServer, path: str) -> None:
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0, transfer_encoding="chunked"))
        wire.send(*(chunk(bytes([byte])) for byte in DATA[:1000]), chunk(b""))
        assert 204 == wire.response().status

    assert 1000 == resume(server, path)


def test_silence_in_mid_body(server: LiveServer, path: str) -> None:
    with Wire(server.port) as wire:
        wire.send(whole(path), DATA[:1000])
        response = wire.response()

    assert (503, "close") == (response.status, response.headers["connection"])
    assert 1000 == resume(server, path)


def test_silence_in_the_headers(server: LiveServer, path: str) -> None:
    with Wire(server.port) as wire:
        wire.send(whole(path)[:-2])
        assert 408 == wire.response().status
        assert wire.closed()

    assert 0 == resume(server, path)


def test_an_end_in_the_headers(server: LiveServer, path: str) -> None:
    with Wire(server.port) as wire:
        wire.send(whole(path)[:-2])

    assert 0 == resume(server, path)


def test_a_body_longer_than_announced_is_not_part_of_the_upload(
    server: LiveServer, path: str
) -> None:
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0, content_length="1000"), DATA[:1000])
        assert 204 == wire.response().status
        wire.send(b"\0more of the body\r\n\r\n")
        assert 400 == wire.response().status
        assert wire.closed()

    assert 1000 == resume(server, path)


def test_more_than_announced_in_one_piece_costs_no_byte(server: LiveServer, path: str) -> None:
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0, content_length="1000"), DATA[:1000], b"\0more\r\n\r\n")
        wire.response()

    assert 1000 == resume(server, path)


def test_a_body_longer_than_the_upload_is_refused_unread(server: LiveServer, path: str) -> None:
    patch(server, path, 0, DATA[:-10])
    with Wire(server.port) as wire:
        wire.send(patch_head(path, LENGTH - 10, content_length="11"), b"x" * 11)
        assert 413 == wire.response().status

    assert LENGTH - 10 == resume(server, path)


def test_pipelined_requests_are_answered_in_order(server: LiveServer, path: str) -> None:
    with Wire(server.port) as wire:
        wire.send(
            patch_head(path, 0, content_length="500") + DATA[:500],
            patch_head(path, 500, transfer_encoding="chunked"),
            chunk(DATA[500:1000]) + chunk(b""),
            patch_head(path, 7, content_length="5") + b"stale",
            head("OPTIONS", "/files/"),
        )
        assert [204, 204, 409, 200] == [wire.response().status for _ in range(4)]

    assert 1000 == resume(server, path)


def test_pipelined_requests_and_nobody_left_to_answer(server: LiveServer, path: str) -> None:
    with Wire(server.port) as wire:
        wire.send(
            patch_head(path, 0, content_length="500") + DATA[:500],
            patch_head(path, 500, content_length="500") + DATA[500:1000],
        )
        wait_until(lambda: 1000 == offset_of(server, path))

    assert 1000 == resume(server, path)


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize(
    "broken",
    [
        b"no size\r\nhello\r\n",
        b"-5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"\r\nhello\r\n",
        b"ffffffffffffffffff\r\nhello\r\n",
        b"5hello\r\n",
        b"0\r\nX\0: y\r\n\r\n",
    ],
)
def test_chunks_with_broken_framing_keep_what_came_before(
    server: LiveServer, path: str, broken: bytes
) -> None:
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0, transfer_encoding="chunked"), chunk(DATA[:1000]))
        await_read(server)
        wire.send(broken)
        assert 400 == wire.response().status
        assert wire.closed()

    assert 1000 == resume(server, path)


def test_a_chunk_longer_than_its_size_keeps_as_much_as_it_said(
    server: LiveServer, path: str
) -> None:
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0, transfer_encoding="chunked"))
        wire.send(b"3e8\r\n", DATA[:1005], b"\r\n0\r\n\r\n")
        assert 400 == wire.response().status

    assert 1000 == resume(server, path)


@pytest.mark.parametrize("rest", [b"", b"3", b"3e8", b"3e8\r\n", b"0\r\n"])
def test_chunks_that_end_too_early_keep_what_came(
    server: LiveServer, path: str, rest: bytes
) -> None:
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0, transfer_encoding="chunked"), chunk(DATA[:1000]), rest)

    assert 1000 == resume(server, path)


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
    ],
)
def test_a_body_whose_end_is_not_clear_is_refused(
    server: LiveServer, path: str, framing: bytes
) -> None:
    with Wire(server.port) as wire:
        wire.send(patch_head(path, 0)[:-2], framing, b"\r\n", b"hello")
        assert 400 == wire.response().status
        assert wire.closed()

    assert 0 == resume(server, path)
