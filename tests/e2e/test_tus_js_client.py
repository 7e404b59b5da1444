"""tus-js-client, the client of browsers and of Node, in Node."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.granting import Granting
from tests.e2e.inspection import inspect, status_of_get, stored_digest
from tests.e2e.samples import KIB, MIB, Sample, write_sample
from tests.e2e.tus_js import installed
from tests.support.proxy import CuttingProxy
from tests.support.server import ServerProcess
from tests.support.tools import require_tool, run_tool

pytestmark = pytest.mark.timeout(300)

UPLOAD_TIMEOUT = 120.0
EXPIRY_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Report:
    """What the client says it did."""

    outcome: str
    url: str
    requests: list[dict[str, Any]]
    error: str = ""

    @property
    def methods(self) -> list[str]:
        return [request["method"] for request in self.requests]

    def sent(self, header: str) -> list[str]:
        """The values of one header, over all requests that had it."""
        sent = (request["headers"].get(header) for request in self.requests)
        return [value for value in sent if value is not None]


class TusJs:
    """Runs the client: every call is a node process of its own."""

    def __init__(self, node: str, folder: Path) -> None:
        self._node = node
        self._folder = folder

    def upload(self, url: str, sample: Sample, /, **options: object) -> Report:
        return self.run(file=str(sample.path), options={"endpoint": url, **options})

    def run(self, **task: object) -> Report:
        command = [self._node, "upload.mjs", json.dumps(task)]
        told = run_tool(command, cwd=self._folder, timeout=UPLOAD_TIMEOUT)
        return Report(**json.loads(told))


@pytest.fixture(scope="module")
def client() -> TusJs:
    return TusJs(require_tool("node"), installed())


@pytest.fixture
def short_lived_url(tmp_path: Path) -> Iterator[str]:
    with ServerProcess(tmp_path / "data", "--expire-after", "2s") as server:
        yield server.url


def test_a_whole_file_goes_up_in_one_patch(client: TusJs, files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", 5 * MIB + 1)

    report = client.upload(files_url, sample)

    assert "finished" == report.outcome, report.error
    assert ["POST", "PATCH"] == report.methods
    assert sample.digest == stored_digest(report.url)


def test_chunks_follow_each_other(client: TusJs, files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", 5 * MIB + 1)

    report = client.upload(files_url, sample, chunkSize=MIB)

    assert "finished" == report.outcome, report.error
    assert [str(n * MIB) for n in range(6)] == report.sent("Upload-Offset")
    assert sample.digest == stored_digest(report.url)


def test_parallel_uploads_are_concatenated(client: TusJs, files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", 7 * MIB + 5)

    report = client.upload(
        files_url,
        sample,
        parallelUploads=4,
        chunkSize=MIB,
        metadata={"filename": "whole.bin"},
        metadataForPartialUploads={"filename": "part.bin"},
    )

    assert "finished" == report.outcome, report.error
    assert report.requests[-1]["headers"]["Upload-Concat"].startswith("final;")
    assert sample.digest == stored_digest(report.url)
    assert {"filename": "whole.bin"} == inspect(report.url).metadata


def test_aborted_parallel_uploads_go_on_with_their_parts(
    client: TusJs, files_url: str, tmp_path: Path
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 8 * MIB)
    options = {"endpoint": files_url, "parallelUploads": 2, "chunkSize": MIB}
    task = {"file": str(sample.path), "urlStore": str(tmp_path / "urls.json"), "options": options}

    aborted = client.run(**task, abortAt=MIB)
    resumed = client.run(**task, resume=True)

    assert ("aborted", "finished") == (aborted.outcome, resumed.outcome)
    assert ["HEAD", "HEAD"] == sorted(resumed.methods)[:2]
    # The final upload is the only one that is created: both partial uploads go on.
    assert 1 == resumed.methods.count("POST")
    assert resumed.methods.count("PATCH") < 8
    assert sample.digest == stored_digest(resumed.url)


def test_data_can_come_with_the_creation(client: TusJs, files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", 3 * MIB)

    report = client.upload(files_url, sample, uploadDataDuringCreation=True)

    assert "finished" == report.outcome, report.error
    assert ["POST"] == report.methods
    assert sample.digest == stored_digest(report.url)


def test_the_first_chunk_can_come_with_the_creation(
    client: TusJs, files_url: str, tmp_path: Path
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 3 * MIB)

    report = client.upload(files_url, sample, uploadDataDuringCreation=True, chunkSize=MIB)

    assert ["POST", "PATCH", "PATCH"] == report.methods
    assert sample.digest == stored_digest(report.url)


@pytest.mark.parametrize("with_creation", [False, True])
def test_a_deferred_length_is_known_in_the_end(
    client: TusJs, files_url: str, tmp_path: Path, with_creation: bool
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 3 * MIB + 7)
    options = {
        "endpoint": files_url,
        "uploadLengthDeferred": True,
        "uploadDataDuringCreation": with_creation,
        "chunkSize": MIB,
    }

    report = client.run(file=str(sample.path), source="stream", options=options)

    assert "finished" == report.outcome, report.error
    assert ["1"] == report.sent("Upload-Defer-Length")
    assert [str(sample.length)] == report.sent("Upload-Length")
    assert sample.length == inspect(report.url).length
    assert sample.digest == stored_digest(report.url)


def test_patch_can_be_sent_as_post(client: TusJs, files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", 2 * MIB)

    report = client.upload(files_url, sample, overridePatchMethod=True, chunkSize=MIB)

    assert "finished" == report.outcome, report.error
    assert ["POST", "POST", "POST"] == report.methods
    assert ["PATCH", "PATCH"] == report.sent("X-HTTP-Method-Override")
    assert sample.digest == stored_digest(report.url)


@pytest.mark.parametrize("with_creation", [False, True])
def test_an_empty_file_is_complete_at_once(
    client: TusJs, files_url: str, tmp_path: Path, with_creation: bool
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 0)
    options = {"endpoint": files_url, "uploadDataDuringCreation": with_creation}

    # The client itself fails to read an empty file stream together with the creation.
    report = client.run(file=str(sample.path), source="buffer", options=options)

    assert "finished" == report.outcome, report.error
    assert ["POST"] == report.methods
    assert sample.digest == stored_digest(report.url)


def test_a_name_in_any_script_comes_back(client: TusJs, files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", KIB)
    metadata = {"filename": "Übung, 試験 🎈.txt", "filetype": "text/plain", "caption": ""}

    report = client.upload(files_url, sample, metadata=metadata)

    assert metadata == inspect(report.url).metadata


def test_a_terminated_upload_is_gone(client: TusJs, files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", MIB)
    report = client.upload(files_url, sample)

    terminated = client.run(terminate=report.url, options={})

    assert "terminated" == terminated.outcome
    assert [204] == [request["status"] for request in terminated.requests]
    gone = inspect(report.url)
    assert (404, None) == (gone.status, gone.offset)
    assert 404 == status_of_get(report.url)


def test_an_aborted_upload_resumes_in_a_new_process(
    client: TusJs, files_url: str, tmp_path: Path
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 5 * MIB)
    options = {"endpoint": files_url, "chunkSize": MIB}
    task = {"file": str(sample.path), "urlStore": str(tmp_path / "urls.json"), "options": options}

    aborted = client.run(**task, abortAt=2 * MIB)
    resumed = client.run(**task, resume=True)

    assert ("aborted", "finished") == (aborted.outcome, resumed.outcome)
    assert aborted.url == resumed.url
    assert ["HEAD", "PATCH", "PATCH", "PATCH"] == resumed.methods
    assert sample.digest == stored_digest(resumed.url)


def test_an_upload_cut_inside_a_patch_resumes_in_a_new_process(
    client: TusJs, files_url: str, tmp_path: Path
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 24 * MIB)

    with CuttingProxy(files_url, [5 * MIB]) as proxy:
        failed = client.upload(proxy.url, sample)
    resumed = client.upload("", sample, endpoint=None, uploadUrl=_at(files_url, failed.url))

    assert ("failed", "finished") == (failed.outcome, resumed.outcome)
    assert ["HEAD", "PATCH"] == resumed.methods
    # What the first process got through is not sent again.
    assert int(resumed.sent("Upload-Offset")[0]) > 4 * MIB
    assert sample.digest == stored_digest(resumed.url)


def test_a_finished_upload_is_not_sent_again(client: TusJs, files_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", 2 * MIB)
    task = {"file": str(sample.path), "urlStore": str(tmp_path / "urls.json")}
    first = client.run(**task, options={"endpoint": files_url})

    second = client.run(**task, options={"endpoint": files_url}, resume=True)

    assert ["HEAD"] == second.methods
    assert first.url == second.url


def test_the_client_gets_through_a_connection_that_is_cut_again_and_again(
    client: TusJs, files_url: str, tmp_path: Path
) -> None:
    sample = write_sample(tmp_path / "sample.bin", 48 * MIB)
    lengths = [3 * MIB, 500 * KIB, 7 * MIB, 64 * KIB, 12 * MIB]

    with CuttingProxy(files_url, lengths, seed=1) as proxy:
        report = client.upload(proxy.url, sample, retryDelays=[0, 0, 50, 200, 1000])

    assert "finished" == report.outcome, report.error
    assert len(lengths) == len(proxy.cuts)
    # The client never had to begin anew.
    assert 1 == report.methods.count("POST")
    assert sample.digest == stored_digest(_at(files_url, report.url))


def test_an_expired_upload_begins_anew(client: TusJs, short_lived_url: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", 3 * MIB)
    options = {"endpoint": short_lived_url, "chunkSize": MIB}
    task = {"file": str(sample.path), "urlStore": str(tmp_path / "urls.json"), "options": options}
    aborted = client.run(**task, abortAt=MIB)
    _wait_until_gone(aborted.url)

    report = client.run(**task, resume=True)

    assert "finished" == report.outcome, report.error
    assert ["HEAD", "POST", "PATCH", "PATCH", "PATCH"] == report.methods
    assert sample.digest == stored_digest(report.url)


class TestGrants:
    """With a header that the client sends with every request, and URLs that need none."""

    def test_a_file_goes_up(self, client: TusJs, granting: Granting, tmp_path: Path) -> None:
        sample = write_sample(tmp_path / "sample.bin", 3 * MIB)

        report = client.upload(
            granting.url, sample, headers=granting.headers(), chunkSize=MIB, metadata={"a": "b"}
        )

        assert "finished" == report.outcome, report.error
        assert sample.digest == stored_digest(report.url)

    def test_parts_go_up_in_parallel(
        self, client: TusJs, granting: Granting, tmp_path: Path
    ) -> None:
        sample = write_sample(tmp_path / "sample.bin", 7 * MIB + 5)

        report = client.upload(
            granting.url,
            sample,
            headers=granting.headers(parts=4, max_length=sample.length),
            parallelUploads=4,
            chunkSize=MIB,
            metadata={"filename": "whole.bin"},
        )

        assert "finished" == report.outcome, report.error
        assert sample.digest == stored_digest(report.url)
        assert "." not in (inspect(report.url).concat or "").replace("127.0.0.1", "")

    def test_aborted_parts_go_on(self, client: TusJs, granting: Granting, tmp_path: Path) -> None:
        sample = write_sample(tmp_path / "sample.bin", 8 * MIB)
        options = {
            "endpoint": granting.url,
            "headers": granting.headers(parts=2),
            "parallelUploads": 2,
            "chunkSize": MIB,
        }
        task = {
            "file": str(sample.path),
            "urlStore": str(tmp_path / "urls.json"),
            "options": options,
        }

        aborted = client.run(**task, abortAt=MIB)
        resumed = client.run(**task, resume=True)

        assert ("aborted", "finished") == (aborted.outcome, resumed.outcome), resumed.error
        assert 1 == resumed.methods.count("POST")
        assert sample.digest == stored_digest(resumed.url)

    def test_an_upload_is_terminated(
        self, client: TusJs, granting: Granting, tmp_path: Path
    ) -> None:
        sample = write_sample(tmp_path / "sample.bin", MIB)
        headers = granting.headers(can=["DELETE"])
        report = client.upload(granting.url, sample, headers=headers)

        terminated = client.run(terminate=report.url, options={})

        assert [204] == [request["status"] for request in terminated.requests]
        assert 404 == inspect(report.url).status

    @pytest.mark.parametrize("with_creation", [False, True])
    def test_a_deferred_length_is_kept_below_the_limit(
        self, client: TusJs, granting: Granting, tmp_path: Path, with_creation: bool
    ) -> None:
        sample = write_sample(tmp_path / "sample.bin", 3 * MIB + 7)
        options = {
            "endpoint": granting.url,
            "uploadLengthDeferred": True,
            "uploadDataDuringCreation": with_creation,
            "chunkSize": MIB,
        }
        task = {"file": str(sample.path), "source": "stream"}
        fitting = {**options, "headers": granting.headers(max_length=sample.length)}
        too_small = {**options, "headers": granting.headers(max_length=sample.length - 1)}

        assert "finished" == client.run(**task, options=fitting).outcome
        assert "failed" == client.run(**task, options=too_small).outcome


def _at(files_url: str, upload_url: str) -> str:
    """The same upload without the proxy in between."""
    return files_url + upload_url.rsplit("/", 1)[1]


def _wait_until_gone(url: str) -> None:
    deadline = time.monotonic() + EXPIRY_TIMEOUT
    while inspect(url).status != 404:
        assert time.monotonic() < deadline, f"{url} has not expired"
        time.sleep(0.1)
