"""A client that comes back while its old connection hangs, over real sockets."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

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
from tusd_py.serving.protocol import protocol_class

SOON = 0.1
SENT = 300_000


@pytest.fixture
def server(tmp_path: Path, direct_body: bool) -> Iterator[LiveServer]:
    tus = TusApp(
        storage=FileStorage(tmp_path),
        metadata=SQLiteMetadata(tmp_path / "tus.db"),
        config=Config(direct_body=direct_body),
    )
    http = protocol_class(header_timeout=10, max_header_size=65536)
    with live(tus.below("/files"), http=http) as server:
        yield server


def take_over(server: LiveServer, folder: Path, method: str) -> float:
    """Have an upload whose connection hangs; returns the seconds that it took."""
    path = created(server.port, SENT + 10)
    more = {"upload_offset": str(SENT), "content_type": "application/offset+octet-stream"}
    with Wire(server.port) as holder, Wire(server.port) as rival:
        holder.send(patch_head(path, SENT + 10), bytes(SENT))
        wait_until_stored(folder, SENT)
        began = time.perf_counter()
        if method == "PATCH":
            response = rival.request("PATCH", path, b"0123456789", **more)
        else:
            response = rival.request(method, path)
        seconds = time.perf_counter() - began
        assert {"HEAD": 200, "PATCH": 204, "DELETE": 204}[method] == response.status
        if method == "HEAD":
            assert str(SENT) == response.headers["upload-offset"]
        displaced = holder.response()
        assert (423, "close") == (displaced.status, displaced.headers["connection"])
    return seconds


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
def test_who_comes_back_gets_in_within_a_tenth_of_a_second(
    server: LiveServer, tmp_path: Path, method: str
) -> None:
    assert median(take_over(server, tmp_path, method) for _ in range(5)) < SOON


def test_what_the_old_connection_still_sends_is_thrown_away(server: LiveServer) -> None:
    path = created(server.port, 10)
    with Wire(server.port) as holder:
        holder.send(patch_head(path, 10), b"01234")
        holder.wait_until_arrived()
        offset = offset_of(server.port, path)
        # Sent after the server has let go of it, and before the client hears of that.
        holder.send(b"XXXXX")
        holder.response()
        holder.send(head("OPTIONS", "/files/"))
        assert 5 == offset == offset_of(server.port, path)
    with Wire(server.port) as wire:
        wire.send(
            head(
                *("PATCH", path),
                upload_offset="5",
                content_type="application/offset+octet-stream",
                content_length="5",
            ),
            b"56789",
        )
        assert 204 == wire.response().status
        assert b"0123456789" == wire.request("GET", path).body
