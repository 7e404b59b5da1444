"""Drivers against the bare loop: what they send arrives, and what is wrong is noticed."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.bodies import check_stored
from benchmarks.drivers import chunks, small, wire
from benchmarks.drivers.chunks import ChunksJob, ChunksResult
from benchmarks.drivers.download import DownloadJob, DownloadResult
from benchmarks.drivers.fill import FillJob, FillResult
from benchmarks.drivers.process import Driver
from benchmarks.drivers.reading import Download
from benchmarks.drivers.small import SmallJob, SmallResult
from benchmarks.drivers.timing import percentile
from benchmarks.errors import DriverFailedError, TrialFailedError
from benchmarks.scenarios.base import KIB, MIB, Bench
from benchmarks.scenarios.bodies import Appends
from benchmarks.servers import Target

TIMEOUT = 30.0


def small_job(target: Target, bench: Bench, *, payload: int, goes_on: bool) -> SmallJob:
    return SmallJob(
        port=target.port,
        body=str(bench.source(4 * KIB).path),
        length=4 * KIB,
        payload=payload,
        goes_on=goes_on,
        connections=3,
        seconds=TIMEOUT,
        limit=50,
    )


@pytest.mark.parametrize(("payload", "goes_on"), [(4 * KIB, False), (0, True), (KIB, True)])
def test_small_uploads_are_whole_and_as_many_as_asked_for(
    bare: Target, bench: Bench, payload: int, goes_on: bool
) -> None:
    job = small_job(bare, bench, payload=payload, goes_on=goes_on)
    with Driver(job, SmallResult, timeout=TIMEOUT) as driver:
        assert 50 == driver.go().made
    check_stored(bare.data, 4 * KIB, 50 * [bench.source(4 * KIB).digest(0, 4 * KIB)])


def test_pieces_make_the_body(bare: Target, bench: Bench) -> None:
    source = bench.source(MIB + 5)
    job = ChunksJob(
        port=bare.port, body=str(source.path), length=MIB + 5, chunk=300_000, algorithm="sha256"
    )
    with Driver(job, ChunksResult, timeout=TIMEOUT) as driver:
        driver.go()
    check_stored(bare.data, MIB + 5, [source.digest(0, MIB + 5)])


def test_several_bodies_arrive_at_once(bare: Target, bench: Bench) -> None:
    metrics = Appends(count=3, length=MIB, timeout=TIMEOUT).measure(bench, bare)
    assert metrics["mib_per_s"] > 0


def test_a_stored_body_with_a_wrong_byte_is_noticed(bare: Target, bench: Bench) -> None:
    Appends(count=1, length=MIB, timeout=TIMEOUT).measure(bench, bare)
    (stored,) = (path for path in bare.data.iterdir() if path.stat().st_size == MIB)
    with stored.open("r+b") as file:
        file.seek(MIB - 1)
        file.write(b"\0" if stored.read_bytes()[-1] else b"\1")
    with pytest.raises(TrialFailedError, match="do not hold what was sent"):
        check_stored(bare.data, MIB, [bench.source(MIB).digest(0, MIB)])


@pytest.mark.parametrize("uploads", [1, 2])
def test_readers_get_what_was_uploaded(bare: Target, bench: Bench, uploads: int) -> None:
    body = str(bench.source(3 * MIB).path)
    job = DownloadJob(port=bare.port, body=body, length=3 * MIB, uploads=uploads, readers=2)
    with Driver(job, DownloadResult, timeout=TIMEOUT) as driver:
        driver.go()
    assert uploads == len(list(bare.data.iterdir()))


def test_a_download_of_other_bytes_is_noticed(bare: Target) -> None:
    sent, stored = os.urandom(2 * MIB), bare.data / "7"
    stored.write_bytes(sent[:-1] + bytes([sent[-1] ^ 1]))
    with (
        Download(bare.port, "/files/7", 2 * MIB) as download,
        pytest.raises(DriverFailedError, match="is not what was sent"),
    ):
        download.compare(memoryview(sent))


def test_a_download_of_another_length_is_noticed(bare: Target) -> None:
    (bare.data / "7").write_bytes(b"short")
    with pytest.raises(DriverFailedError, match="another length"):
        Download(bare.port, "/files/7", 6).__enter__()


def test_a_fill_keeps_paths_from_all_over(bare: Target) -> None:
    job = FillJob(port=bare.port, uploads=100, kept=4, seconds=TIMEOUT)
    with Driver(job, FillResult, timeout=TIMEOUT) as driver:
        result = driver.go()
    assert 100 == result.made == len(list(bare.data.iterdir()))
    numbers = [int(Path(path).name) for path in result.paths]
    assert 4 == len(numbers)
    assert numbers[0] < 50 < numbers[-1]


def test_a_percentile_is_of_the_sorted_values() -> None:
    assert (2, 3) == (percentile([3, 1, 2], 50), percentile([3, 1, 2], 99))


@pytest.fixture
def closing(bare: Target, monkeypatch: pytest.MonkeyPatch) -> Target:
    """A server that closes the connection after every answer."""
    kept = wire.request

    def request(method: str, path: str, port: int, headers: Mapping[str, str]) -> bytes:
        return kept(method, path, port, {**headers, "Connection": "close"})

    monkeypatch.setattr(wire, "request", request)
    return bare


def test_small_uploads_go_on_after_a_close(closing: Target, bench: Bench) -> None:
    job = small_job(closing, bench, payload=0, goes_on=True)
    assert 50 == small.run(job, ready=lambda: None).made
    check_stored(closing.data, 4 * KIB, 50 * [bench.source(4 * KIB).digest(0, 4 * KIB)])


def test_pieces_go_on_after_a_close(closing: Target, bench: Bench) -> None:
    source = bench.source(MIB)
    job = ChunksJob(
        port=closing.port, body=str(source.path), length=MIB, chunk=300_000, algorithm=None
    )
    chunks.run(job, ready=lambda: None)
    check_stored(closing.data, MIB, [source.digest(0, MIB)])
