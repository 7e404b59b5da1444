"""tuspy, the Python client on requests and aiohttp."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusUploadFailed
from tusclient.storage.filestorage import FileStorage
from tusclient.uploader.baseuploader import BaseUploader
from tusclient.uploader.uploader import Uploader

from tests.e2e.granting import Granting
from tests.e2e.inspection import inspect, stored_digest
from tests.e2e.samples import KIB, MIB, Sample, write_sample
from tests.support.proxy import CuttingProxy
from tests.support.server import ServerProcess

pytestmark = pytest.mark.timeout(120)


class WrongChecksum(Uploader):
    """A client whose bytes and checksum disagree."""

    CHECKSUM_ALGORITHM_PAIR: Any = ("sha1", lambda chunk: hashlib.sha1(chunk + b"!"))  # noqa: S324


class UnknownChecksum(Uploader):
    """A client with an algorithm that no server has."""

    CHECKSUM_ALGORITHM_PAIR = ("rot13", hashlib.sha1)


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return write_sample(tmp_path / "sample.bin", 3 * MIB + 11)


@pytest.fixture
def stream(sample: Sample) -> Iterator[BinaryIO]:
    # tuspy does not close a file that it opened itself.
    with sample.path.open("rb") as file:
        yield file


def test_an_upload_without_metadata(files_url: str, sample: Sample, stream: BinaryIO) -> None:
    uploader = TusClient(files_url).uploader(file_stream=stream)

    uploader.upload()

    assert sample.length == uploader.offset
    assert sample.digest == stored_digest(_url(uploader))
    # tuspy sends Upload-Metadata with nothing in it.
    assert inspect(_url(uploader)).headers["Upload-Metadata"] in (None, "")


def test_chunks_and_metadata(files_url: str, sample: Sample, stream: BinaryIO) -> None:
    metadata = {"filename": "Füße.bin", "empty": "", "kind": "text/plain"}
    uploader = TusClient(files_url).uploader(
        file_stream=stream, chunk_size=512 * KIB, metadata=metadata
    )

    uploader.upload()

    assert sample.digest == stored_digest(_url(uploader))
    assert metadata == inspect(_url(uploader)).metadata


def test_an_empty_file(files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "empty.bin", 0)
    with sample.path.open("rb") as file:
        uploader = TusClient(files_url).uploader(file_stream=file)

        uploader.upload()

    assert sample.digest == stored_digest(_url(uploader))


@pytest.mark.parametrize("chunk_size", [700 * KIB, 64 * MIB])
def test_every_chunk_can_carry_its_checksum(
    files_url: str, sample: Sample, stream: BinaryIO, chunk_size: int
) -> None:
    uploader = TusClient(files_url).uploader(
        file_stream=stream, chunk_size=chunk_size, upload_checksum=True
    )

    uploader.upload()

    assert sample.digest == stored_digest(_url(uploader))


@pytest.mark.parametrize(("kind", "status"), [(WrongChecksum, 460), (UnknownChecksum, 400)])
def test_a_chunk_whose_checksum_fails_is_discarded(
    files_url: str, sample: Sample, stream: BinaryIO, kind: type[Uploader], status: int
) -> None:
    good = TusClient(files_url).uploader(file_stream=stream, chunk_size=MIB, upload_checksum=True)
    good.upload(stop_at=MIB)
    bad = kind(file_stream=stream, url=_url(good), chunk_size=MIB, upload_checksum=True)

    with pytest.raises(TusUploadFailed) as refused:
        bad.upload()

    assert status == refused.value.status_code
    assert MIB == inspect(_url(good)).offset
    good.upload()
    assert sample.digest == stored_digest(_url(good))


def test_a_known_url_resumes_at_the_offset_of_the_server(
    files_url: str, sample: Sample, stream: BinaryIO
) -> None:
    first = TusClient(files_url).uploader(file_stream=stream, chunk_size=MIB)
    first.upload(stop_at=2 * MIB)

    second = TusClient(files_url).uploader(file_stream=stream, url=_url(first))
    assert 2 * MIB == second.offset
    second.upload()

    assert sample.digest == stored_digest(_url(first))


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_a_url_store_resumes_the_same_file(files_url: str, sample: Sample, tmp_path: Path) -> None:
    client = TusClient(files_url)
    open_store: Callable[[str], FileStorage] = FileStorage
    with closing(open_store(str(tmp_path / "urls.json"))) as store:
        first = client.uploader(str(sample.path), chunk_size=MIB, store_url=True, url_storage=store)
        first.upload(stop_at=MIB)
        second = client.uploader(str(sample.path), store_url=True, url_storage=store)
        assert (_url(first), MIB) == (_url(second), second.offset)
        second.upload()

    assert sample.digest == stored_digest(_url(first))


def test_a_cut_chunk_is_sent_again_from_the_offset_of_the_server(
    files_url: str, sample: Sample, stream: BinaryIO
) -> None:
    with CuttingProxy(files_url, [700 * KIB, 400 * KIB, 1 * MIB]) as proxy:
        uploader = TusClient(proxy.url).uploader(
            file_stream=stream, chunk_size=2 * MIB, retries=3, retry_delay=0
        )
        uploader.upload()

    assert 3 == len(proxy.cuts)
    assert sample.digest == stored_digest(_at(files_url, uploader))


def test_a_cut_chunk_with_a_checksum_leaves_no_byte(
    files_url: str, sample: Sample, stream: BinaryIO
) -> None:
    with CuttingProxy(files_url, [MIB + 600 * KIB]) as proxy:
        uploader = TusClient(proxy.url).uploader(
            file_stream=stream, chunk_size=2 * MIB, upload_checksum=True
        )
        with pytest.raises(TusUploadFailed):
            uploader.upload()

        # What cannot be verified any more does not count.
        assert 0 == inspect(_url(uploader)).offset
        uploader.upload()

    assert sample.digest == stored_digest(_at(files_url, uploader))


def test_the_async_uploader_sends_the_same(
    files_url: str, sample: Sample, stream: BinaryIO
) -> None:
    uploader = TusClient(files_url).async_uploader(
        file_stream=stream, chunk_size=MIB, upload_checksum=True, metadata={"filename": "a.bin"}
    )

    asyncio.run(uploader.upload())

    assert sample.digest == stored_digest(_url(uploader))
    assert {"filename": "a.bin"} == inspect(_url(uploader)).metadata


def test_an_upload_outlives_the_sudden_death_of_the_server(
    tmp_path: Path, sample: Sample, stream: BinaryIO
) -> None:
    with ServerProcess(tmp_path / "data") as server:
        first = TusClient(server.url).uploader(file_stream=stream, chunk_size=MIB)
        first.upload(stop_at=2 * MIB)
        server.kill()
        server.start()

        second = TusClient(server.url).uploader(file_stream=stream, url=_url(first))
        assert 2 * MIB == second.offset
        second.upload()

        assert sample.digest == stored_digest(_url(first))


def _url(uploader: BaseUploader) -> str:
    return str(uploader.url)


def _at(files_url: str, uploader: BaseUploader) -> str:
    """The same upload without the proxy in between."""
    return files_url + _url(uploader).rsplit("/", 1)[1]


def test_an_upload_by_a_grant_in_a_header_goes_on(
    granting: Granting, sample: Sample, stream: BinaryIO
) -> None:
    client = TusClient(granting.url, headers=granting.headers())
    uploader = client.uploader(file_stream=stream, chunk_size=MIB, metadata={"filename": "a"})
    uploader.upload(stop_at=MIB)

    # Without the header, which is for the creation alone.
    resumed = TusClient(granting.url).uploader(file_stream=stream, url=_url(uploader))
    resumed.upload()

    assert sample.digest == stored_digest(_url(uploader))


def test_an_upload_by_a_grant_in_the_path(
    granting: Granting, sample: Sample, stream: BinaryIO
) -> None:
    uploader = TusClient(granting.endpoint()).uploader(file_stream=stream)

    uploader.upload()

    assert sample.digest == stored_digest(_url(uploader))
