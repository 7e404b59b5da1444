"""aiotus, the asyncio client on aiohttp."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import aiotus
import pytest

from tests.e2e.granting import Granting
from tests.e2e.inspection import inspect, stored_digest
from tests.e2e.samples import KIB, MIB, Sample, write_sample
from tests.support.proxy import CuttingProxy

pytestmark = [
    pytest.mark.timeout(120),
    # aiotus hands its chunks of 4 MiB to aiohttp in a way that aiohttp warns of.
    pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning"),
]

AT_ONCE = aiotus.RetryConfiguration(retry_attempts=5, max_retry_period_seconds=0)
METADATA: aiotus.Metadata = {
    "filename": "Ærøskøbing.bin".encode(),
    "bytes": b"\xff\x00\xfe",
    "empty": None,
}


def upload(
    files_url: str, sample: Sample, metadata: aiotus.Metadata | None = None, chunk: int = MIB
) -> str:
    """Upload the sample; aiotus logs what goes wrong and returns None."""

    async def run() -> str:
        with sample.path.open("rb") as file:
            url = await aiotus.upload(files_url, file, metadata, config=AT_ONCE, chunksize=chunk)
        assert url is not None
        return str(url)

    return asyncio.run(run())


def upload_parts(files_url: str, parts: list[Sample], metadata: aiotus.Metadata) -> str:
    """Upload the samples as partial uploads and concatenate them."""

    async def run() -> str:
        with ExitStack() as files:
            streams = [files.enter_context(part.path.open("rb")) for part in parts]
            url = await aiotus.upload_multiple(files_url, streams, metadata, config=AT_ONCE)
        assert url is not None
        return str(url)

    return asyncio.run(run())


def test_an_upload_in_chunks(files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", 3 * MIB + 1)

    url = upload(files_url, sample)

    assert sample.digest == stored_digest(url)


def test_an_empty_file(files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", 0)

    url = upload(files_url, sample)

    assert sample.digest == stored_digest(url)


def test_metadata_of_any_bytes_reads_back(files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", KIB)

    url = upload(files_url, sample, METADATA)

    assert METADATA == asyncio.run(aiotus.metadata(url))


def test_no_metadata_reads_back_as_none(files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", KIB)

    url = upload(files_url, sample)

    assert {} == asyncio.run(aiotus.metadata(url))


def test_partial_uploads_are_concatenated_in_order(files_url: str, tmp_path: Path) -> None:
    whole, parts = split_sample(tmp_path, [2 * MIB + 3, 0, 7, 5 * MIB])

    url = upload_parts(files_url, parts, {"filename": b"whole.bin"})

    assert whole.digest == stored_digest(url)
    final = inspect(url)
    assert (whole.length, whole.length) == (final.offset, final.length)
    assert (final.concat or "").startswith("final;")
    assert {"filename": "whole.bin"} == final.metadata


def test_partial_uploads_are_concatenated_over_a_connection_that_is_cut(
    files_url: str, tmp_path: Path
) -> None:
    whole, parts = split_sample(tmp_path, [3 * MIB, 4 * MIB, 2 * MIB])

    with CuttingProxy(files_url, [500 * KIB, 900 * KIB]) as proxy:
        url = upload_parts(proxy.url, parts, {})

    assert 2 == len(proxy.cuts)
    assert whole.digest == stored_digest(files_url + url.rsplit("/", 1)[1])


def test_a_cut_chunk_is_sent_again_from_the_offset_of_the_server(
    files_url: str, tmp_path: Path
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 8 * MIB)

    with CuttingProxy(files_url, [3 * MIB, 100 * KIB, MIB]) as proxy:
        url = upload(proxy.url, sample, chunk=4 * MIB)

    assert 3 == len(proxy.cuts)
    assert sample.digest == stored_digest(files_url + url.rsplit("/", 1)[1])


def split_sample(folder: Path, lengths: list[int]) -> tuple[Sample, list[Sample]]:
    """A file, and the same content as several files of these lengths."""
    whole = write_sample(folder / "whole.bin", sum(lengths))
    parts = []
    with whole.path.open("rb") as file:
        for number, length in enumerate(lengths):
            part = folder / f"part-{number}.bin"
            part.write_bytes(file.read(length))
            parts.append(Sample(part, length, digest=""))
    return whole, parts


def test_an_upload_by_a_grant_in_the_path(granting: Granting, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", 3 * MIB + 1)

    url = upload(granting.endpoint(), sample, METADATA)

    assert sample.digest == stored_digest(url)


def test_partial_uploads_by_a_grant_are_concatenated(granting: Granting, tmp_path: Path) -> None:
    parts = [write_sample(tmp_path / f"{n}.bin", MIB + n) for n in range(3)]

    url = upload_parts(granting.endpoint(parts=3), parts, {"filename": b"whole.bin"})

    assert sum(part.length for part in parts) == inspect(url).length
