"""Parts of finished uploads that the kernel sends straight from their files, over real sockets."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from tests.support.census import nothing_leaks
from tests.support.live import LiveServer, Wire, created, head, live, patch_head, uploaded
from tusd_py import Config, FileStorage, SQLiteMetadata, TusApp
from tusd_py.serving.protocol import protocol_class
from tusd_py.serving.sending import Sending

MIB = 1024 * 1024
DATA = Random(7).randbytes(8 * MIB + 3)  # noqa: S311 - a test must be repeatable


@pytest.fixture
def tus(tmp_path: Path) -> TusApp:
    return TusApp(
        storage=FileStorage(tmp_path),
        metadata=SQLiteMetadata(tmp_path / "tus.db"),
        config=Config(durability="process", sweep_interval=0, max_uploads=1),
    )


@pytest.fixture
def server(tus: TusApp) -> Iterator[LiveServer]:
    http = protocol_class(header_timeout=10, max_header_size=8192)
    with live(tus.below("/files"), http=http) as server:
        yield server


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=4095-4096", 4095, 4097),
        ("bytes=1-", 1, len(DATA)),
        (f"bytes=-{3 * MIB}", len(DATA) - 3 * MIB, len(DATA)),
    ],
)
def test_a_part_comes_whole(
    server: LiveServer, sent: list[Sending], wanted: str, start: int, end: int
) -> None:
    path = uploaded(server.port, DATA)
    with Wire(server.port) as wire:
        response = wire.request("GET", path, range=wanted)
    assert (206, str(end - start)) == (response.status, response.headers["content-length"])
    assert DATA[start:end] == response.body
    assert 1 == len(sent)


def test_a_connection_is_kept_over_parts_refusals_and_what_is_known(
    server: LiveServer, tus: TusApp
) -> None:
    path = uploaded(server.port, DATA)
    with nothing_leaks(server, tus), Wire(server.port) as wire:
        etag = wire.request("GET", path).headers["etag"]
        for start in range(0, len(DATA), MIB):
            part = wire.request("GET", path, range=f"bytes={start}-{start + 99}")
            assert (206, DATA[start : start + 100]) == (part.status, part.body)
            assert 416 == wire.request("GET", path, range=f"bytes={len(DATA)}-").status
            assert 412 == wire.request("GET", path, if_match='"other"').status
            wire.send(head("GET", path, if_none_match=etag))
            known = wire.response(bodiless=True)
            assert (304, b"") == (known.status, known.body)


def test_eight_fetch_parts_at_once_and_have_the_whole(
    server: LiveServer, sent: list[Sending]
) -> None:
    data = DATA * 8
    path = uploaded(server.port, data)
    size = len(data) // 8 + 1

    def fetched(number: int) -> bytes:
        with Wire(server.port) as wire:
            start = number * size
            return wire.request("GET", path, range=f"bytes={start}-{start + size - 1}").body

    with ThreadPoolExecutor(8) as clients:
        parts = [*clients.map(fetched, range(8))]
    assert sha256(data).digest() == sha256(b"".join(parts)).digest()
    assert 8 == len(sent)


def test_a_download_does_not_wait_for_uploads(server: LiveServer) -> None:
    path = uploaded(server.port, DATA)
    slow, short = created(server.port, len(DATA)), created(server.port, 5)
    with Wire(server.port) as uploading, Wire(server.port) as waiting, Wire(server.port) as wire:
        # One transfer is all that may run; another waits for its turn.
        uploading.send(patch_head(slow, len(DATA)), DATA[:MIB])
        waiting.send(patch_head(short, 5), b"hel")
        assert DATA == wire.request("GET", path).body
        assert DATA[5:9] == wire.request("GET", path, range="bytes=5-8").body
        # And none of the two was ended by that.
        uploading.send(DATA[MIB:])
        assert 204 == uploading.response().status
        waiting.send(b"lo")
        assert 204 == waiting.response().status
