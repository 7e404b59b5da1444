"""tus-java-client, the client of Android, on a plain JVM.

The JVM cannot send PATCH: the client sends POST with X-HTTP-Method-Override, a chunked body,
and waits for 100 Continue before each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.granting import Granting
from tests.e2e.inspection import inspect, stored_digest
from tests.e2e.samples import KIB, MIB, Sample, write_sample
from tests.support.proxy import CuttingProxy
from tests.support.tools import built_once, require_tool, run_tool

pytestmark = pytest.mark.timeout(600)

SOURCES = Path(__file__).parent / "clients" / "java"
CLASSPATH = "target/classes:target/dependency/*"
UPLOAD_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Report:
    """What the client says it did."""

    url: str
    resumed_at: int


class TusJava:
    """Runs the client: every call is a JVM of its own."""

    def __init__(self, java: str, folder: Path) -> None:
        self._java = java
        self._folder = folder

    def upload(self, url: str, sample: Sample, **arguments: int | str) -> Report:
        pairs = {"endpoint": url, "file": sample.path, **arguments}
        told = run_tool(
            [
                *(self._java, "-cp", CLASSPATH, "Upload"),
                *(f"{name}={value}" for name, value in pairs.items()),
            ],
            cwd=self._folder,
            timeout=UPLOAD_TIMEOUT,
        )
        answers = dict(line.split("=", 1) for line in told.splitlines())
        return Report(answers["url"], int(answers["resumedAt"]))


@pytest.fixture(scope="module")
def client() -> TusJava:
    java, mvn = require_tool("java"), require_tool("mvn")
    require_tool("javac")

    def build(folder: Path) -> None:
        goals = ["compiler:compile", "dependency:copy-dependencies"]
        run_tool([mvn, "--batch-mode", "--quiet", *goals], cwd=folder)

    return TusJava(java, built_once("java", SOURCES, build))


def test_a_file_goes_up_in_several_requests(
    client: TusJava, files_url: str, tmp_path: Path
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 5 * MIB + 1)

    report = client.upload(files_url, sample, payload=2 * MIB, chunk=300 * KIB)

    assert sample.digest == stored_digest(report.url)


def test_a_file_goes_up_in_one_request(client: TusJava, files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", 5 * MIB + 1)

    report = client.upload(files_url, sample, payload=10 * MIB)

    assert sample.digest == stored_digest(report.url)


@pytest.mark.parametrize("length", [0, 4 * MIB])
def test_an_empty_patch_after_the_last_byte_is_welcome(
    client: TusJava, files_url: str, tmp_path: Path, length: int
) -> None:
    # The client sends it after every file that is a multiple of its payload, the empty one too.
    sample = write_sample(tmp_path / "sample.bin", length)

    report = client.upload(files_url, sample, payload=2 * MIB)

    assert sample.digest == stored_digest(report.url)
    complete = inspect(report.url)
    assert (length, length) == (complete.offset, complete.length)


def test_a_name_in_any_script_comes_back(client: TusJava, files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "Ελληνικά 中文.bin", KIB)

    report = client.upload(files_url, sample)

    assert sample.path.name == inspect(report.url).metadata["filename"]


def test_an_upload_resumes_by_the_url_in_the_memory_store(
    client: TusJava, files_url: str, tmp_path: Path
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 6 * MIB)

    report = client.upload(files_url, sample, payload=2 * MIB, leaveAt=3 * MIB, how="finish")

    assert 3 * MIB == report.resumed_at
    assert sample.digest == stored_digest(report.url)


def test_a_resume_takes_over_from_a_connection_left_open(
    client: TusJava, files_url: str, tmp_path: Path
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 6 * MIB)

    report = client.upload(files_url, sample, payload=6 * MIB, leaveAt=3 * MIB, how="abandon")

    # What the abandoned connection had delivered is kept, the last 64 KiB perhaps not.
    assert 3 * MIB - 64 * KIB <= report.resumed_at <= 3 * MIB
    assert sample.digest == stored_digest(report.url)


def test_the_client_gets_through_a_connection_that_is_cut_again_and_again(
    client: TusJava, files_url: str, tmp_path: Path
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 24 * MIB)
    lengths = [3 * MIB, 200 * KIB, 5 * MIB]

    with CuttingProxy(files_url, lengths, seed=2) as proxy:
        report = client.upload(proxy.url, sample, payload=10 * MIB, retries=len(lengths))

    assert len(lengths) == len(proxy.cuts)
    assert report.resumed_at > 0
    assert sample.digest == stored_digest(files_url + report.url.rsplit("/", 1)[1])


def test_an_upload_by_a_grant_in_the_path_goes_on(
    client: TusJava, granting: Granting, tmp_path: Path
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 6 * MIB)

    report = client.upload(
        granting.endpoint(), sample, payload=2 * MIB, leaveAt=3 * MIB, how="finish"
    )

    assert 3 * MIB == report.resumed_at
    assert sample.digest == stored_digest(report.url)
