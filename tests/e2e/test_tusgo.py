"""tusgo, a client in Go that knows every extension."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.inspection import announced_extensions, inspect, stored_digest
from tests.e2e.samples import KIB, MIB, Sample, write_sample
from tests.support.tools import built_once, require_tool, run_tool

pytestmark = pytest.mark.timeout(600)

SOURCES = Path(__file__).parent / "clients" / "go"
UPLOAD_TIMEOUT = 120.0
IN_ONE_REQUEST = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What the client says it did; `code` is "ok" or why it was refused."""

    url: str
    code: str
    status: int
    resumed_at: int
    expires: str
    metadata: dict[str, str] | None


class Tusgo:
    """Runs the client: every call is a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def upload(self, url: str, sample: Sample, **flags: int | str) -> Report:
        told = run_tool(
            [
                *("./upload", f"-endpoint={url}", f"-file={sample.path}"),
                *(f"-{name.replace('_', '-')}={value}" for name, value in flags.items()),
            ],
            cwd=self._folder,
            timeout=UPLOAD_TIMEOUT,
        )
        return Report(**json.loads(told))


@pytest.fixture(scope="module")
def client() -> Tusgo:
    go = require_tool("go")

    def build(folder: Path) -> None:
        flags = ["-mod=readonly", "-buildvcs=false"]
        run_tool([go, "build", *flags, "-o", "upload", "."], cwd=folder)

    return Tusgo(built_once("go", SOURCES, build))


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return write_sample(tmp_path / "sample.bin", 5 * MIB + 9)


@pytest.mark.parametrize("chunk", [IN_ONE_REQUEST, MIB, 5 * MIB + 9])
def test_a_plain_upload(client: Tusgo, files_url: str, sample: Sample, chunk: int) -> None:
    report = client.upload(files_url, sample, chunk=chunk)

    assert "ok" == report.code
    assert sample.digest == stored_digest(report.url)
    assert {"filename": "große Datei.bin"} == report.metadata


def test_an_upload_resumes_where_the_server_says(
    client: Tusgo, files_url: str, sample: Sample
) -> None:
    report = client.upload(files_url, sample, chunk=MIB, leave_at=2 * MIB + 100)

    assert ("ok", 2 * MIB + 100) == (report.code, report.resumed_at)
    assert sample.digest == stored_digest(report.url)


def test_a_deferred_length_can_come_with_the_first_byte(
    client: Tusgo, files_url: str, sample: Sample
) -> None:
    report = client.upload(files_url, sample, mode="defer")

    assert "ok" == report.code
    assert sample.length == inspect(report.url).length
    assert sample.digest == stored_digest(report.url)


def test_half_of_the_data_can_come_with_the_creation(
    client: Tusgo, files_url: str, sample: Sample
) -> None:
    report = client.upload(files_url, sample, mode="with-creation")

    assert ("ok", sample.length // 2) == (report.code, report.resumed_at)
    assert sample.digest == stored_digest(report.url)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_every_chunk_can_carry_its_checksum(
    client: Tusgo, files_url: str, sample: Sample, algorithm: str
) -> None:
    report = client.upload(files_url, sample, checksum=algorithm, chunk=700 * KIB)

    assert "ok" == report.code
    assert sample.digest == stored_digest(report.url)


def test_a_checksum_in_a_trailer_is_used_where_the_server_announces_it(
    client: Tusgo, files_url: str, sample: Sample
) -> None:
    report = client.upload(files_url, sample, checksum="sha1", chunk=IN_ONE_REQUEST)

    announced = "checksum-trailer" in announced_extensions(files_url)
    expected = ("ok", sample.length) if announced else ("unsupported feature: checksum-trailer", 0)
    assert expected == (report.code, inspect(report.url).offset)


@pytest.mark.parametrize("parts", [1, 3, 40])
def test_partial_uploads_are_concatenated(
    client: Tusgo, files_url: str, sample: Sample, parts: int
) -> None:
    report = client.upload(files_url, sample, mode="concat", parts=parts)

    assert "ok" == report.code
    assert sample.digest == stored_digest(report.url)
    assert {"filename": "joined.bin"} == inspect(report.url).metadata


def test_the_expiry_that_is_announced_can_be_read(
    client: Tusgo, files_url: str, sample: Sample
) -> None:
    report = client.upload(files_url, sample)

    left = datetime.fromisoformat(report.expires) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(hours=24, seconds=2)
