"""The app behind servers that know nothing of it: everything works but what only ours offers."""

import asyncio
import hashlib
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config as HypercornConfig

from tests.support.live import Wire, head, live
from tusd_py import Config, FileStorage, SQLiteMetadata, TusApp

OFFSET_TYPE = "application/offset+octet-stream"


@contextmanager
def hypercorn(app: Any) -> Iterator[int]:  # noqa: ANN401 - an ASGI application
    """Serve with hypercorn from another thread; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = HypercornConfig()
    config.bind = [f"fd://{listener.fileno()}"]
    config.accesslog = config.errorlog = None
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        await serve(app, config, shutdown_trigger=stop.wait)

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
        listener.detach()


@pytest.fixture(params=["uvicorn-h11", "uvicorn-httptools", "hypercorn"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    tus = TusApp(
        storage=FileStorage(tmp_path),
        metadata=SQLiteMetadata(tmp_path / "tus.db"),
        config=Config(durability="process"),
    )
    if request.param == "hypercorn":
        with hypercorn(tus.below("/files")) as port:
            yield port
    else:
        with live(tus.below("/files"), http=request.param.removeprefix("uvicorn-")) as server:
            yield server.port


def created(port: int, **headers: str) -> str:
    with Wire(port) as wire:
        response = wire.request("POST", "/files", b"", **headers)
    assert 201 == response.status
    return "/" + response.headers["location"].split("/", 3)[3]


def patch_head(path: str, offset: int, **headers: str) -> bytes:
    everything = {"upload_offset": str(offset), "content_type": OFFSET_TYPE, **headers}
    return head("PATCH", path, **everything)


def test_an_upload_is_resumed_after_a_cut(port: int) -> None:
    data = bytes(range(256)) * 4000
    path = created(port, upload_length=str(len(data)))
    with Wire(port) as wire:
        wire.send(patch_head(path, 0, content_length=str(len(data))), data[:700_000])
        # What the server has read by now is kept; how much that is, is its own affair.
        wire.socket.shutdown(socket.SHUT_WR)
        wire.closed()
    with Wire(port) as wire:
        offset = int(wire.request("HEAD", path).headers["upload-offset"])
        assert offset <= 700_000
        rest = data[offset:]
        wire.send(patch_head(path, offset, content_length=str(len(rest))), rest)
        assert 204 == wire.response().status
        assert data == wire.request("GET", path).body


def test_a_chunked_body_is_taken(port: int) -> None:
    path = created(port, upload_length="10")
    with Wire(port) as wire:
        wire.send(patch_head(path, 0, transfer_encoding="chunked"))
        wire.send(b"5\r\nhello\r\n", b"5\r\nworld\r\n", b"0\r\n\r\n")
        assert 204 == wire.response().status


def test_a_checksum_is_verified(port: int) -> None:
    path = created(port, upload_length="5")
    digest = b64encode(hashlib.sha256(b"other").digest()).decode()
    with Wire(port) as wire:
        checksum = f"sha256 {digest}"
        wire.send(patch_head(path, 0, content_length="5", upload_checksum=checksum), b"hello")
        assert 460 == wire.response().status
        assert "0" == wire.request("HEAD", path).headers["upload-offset"]


def test_a_stalled_upload_is_taken_over(port: int) -> None:
    path = created(port, upload_length="10")
    with Wire(port) as first, Wire(port) as second:
        first.send(patch_head(path, 0, content_length="10"), b"hello")
        while "5" != second.request("HEAD", path).headers["upload-offset"]:
            # The first request may not have begun yet; HEAD ends it once it has.
            pass
        second.send(patch_head(path, 5, content_length="5"), b"world")
        assert 204 == second.response().status
        assert b"helloworld" == second.request("GET", path).body


def test_parts_are_concatenated(port: int) -> None:
    parts = [
        created(port, upload_length="5", upload_concat="partial", content_type=OFFSET_TYPE)
        for _ in range(2)
    ]
    with Wire(port) as wire:
        for path, data in zip(parts, (b"hello", b"world"), strict=True):
            wire.send(patch_head(path, 0, content_length="5"), data)
            assert 204 == wire.response().status
    final = created(port, upload_concat="final;" + " ".join(parts))
    with Wire(port) as wire:
        assert b"helloworld" == wire.request("GET", final).body
