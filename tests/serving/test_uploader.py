"""What the uploader makes of a server's answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.inspection import inspect, stored_digest
from tests.e2e.samples import MIB, Sample, write_sample
from tests.support.troubled import Trouble, Troubled, troubled
from tusd_py.client import (
    FileChanged,
    GaveUp,
    NotOffered,
    NoTusServer,
    Options,
    Progress,
    Refused,
    Uploaded,
    Uploader,
)

TOKEN = "a-token"  # noqa: S105 - nobody's
QUICK = {"first_delay": 0.01, "longest_delay": 0.05}


@pytest.fixture(scope="module")
def running() -> Iterator[Troubled]:
    with troubled() as server:
        yield server


@pytest.fixture
def server(running: Troubled) -> Troubled:
    running.troubles.clear()
    running.requests.clear()
    running.headers.clear()
    running.clients.clear()
    return running


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return write_sample(tmp_path / "sample.bin", 3 * MIB + 7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where unfinished uploads are remembered."""
    return tmp_path / "state"


async def upload(
    url: str,
    sample: Sample,
    remember: Path | bool = False,
    **options: Any,  # noqa: ANN401 - as Options has them
) -> Uploaded:
    uploader = Uploader(url, options=Options(**{**QUICK, **options}), remember=remember)
    return await uploader.upload(sample.path)


async def digest_at(url: str) -> str:
    return await asyncio.to_thread(stored_digest, url)


def left_in(folder: Path) -> list[Path]:
    return [*folder.iterdir()] if folder.exists() else []


async def test_a_file_goes_up_in_two_requests(
    server: Troubled, sample: Sample, folder: Path
) -> None:
    done = await upload(server.url, sample, folder)

    assert ["POST", "PATCH"] == server.methods
    assert (sample.length, 0) == (done.size, done.resumed_at)
    assert sample.digest == await digest_at(done.url)
    inspected = await asyncio.to_thread(inspect, done.url)
    expected = {"filename": "sample.bin", "filetype": "application/octet-stream"}
    assert expected == inspected.metadata
    assert [] == left_in(folder)


async def test_an_empty_file_is_whole_when_it_is_created(server: Troubled, tmp_path: Path) -> None:
    empty = write_sample(tmp_path / "empty", 0)

    done = await upload(server.url, empty)

    assert ["POST"] == server.methods
    assert empty.digest == await digest_at(done.url)


async def test_chunks_are_as_long_as_asked_for(server: Troubled, sample: Sample) -> None:
    done = await upload(server.url, sample, chunk_size=MIB)

    lengths = [headers["content-length"] for headers in server.headers]
    assert ["0", *[str(MIB)] * 3, "7"] == lengths
    assert 1 == len({*server.clients}), "one connection is enough"
    assert sample.digest == await digest_at(done.url)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "crc32c"])
async def test_every_chunk_has_its_checksum(
    server: Troubled, sample: Sample, algorithm: str
) -> None:
    done = await upload(server.url, sample, chunk_size=MIB, checksum=algorithm)

    sums = [headers["upload-checksum"] for headers in server.headers[2:]]
    assert 4 == len({*sums})
    assert {algorithm} == {checksum.split()[0] for checksum in sums}
    assert sample.digest == await digest_at(done.url)


async def test_parts_are_sent_at_once_and_become_one_upload(
    server: Troubled, sample: Sample
) -> None:
    done = await upload(server.url, sample, parallel=3)

    kinds = [headers.get("upload-concat", "-").partition(";")[0] for headers in server.headers]
    assert (3, 1) == (kinds.count("partial"), kinds.count("final"))
    assert sample.digest == await digest_at(done.url)
    inspected = await asyncio.to_thread(inspect, done.url)
    assert "sample.bin" == (inspected.metadata)["filename"]


async def test_without_concatenation_there_is_one_part(server: Troubled, sample: Sample) -> None:
    server.troubles["OPTIONS"] = [
        Trouble(204, {"Tus-Version": "1.0.0", "Tus-Extension": "creation"})
    ]

    await upload(server.url, sample, parallel=3)

    assert ["OPTIONS", "POST", "PATCH"] == server.methods


async def test_a_checksum_that_the_server_does_not_verify_is_told_before_the_upload(
    server: Troubled, sample: Sample
) -> None:
    server.troubles["OPTIONS"] = [
        Trouble(204, {"Tus-Version": "1.0.0", "Tus-Checksum-Algorithm": "sha1, md5"})
    ]

    with pytest.raises(NotOffered, match=r"no sha256. It offers: md5, sha1."):
        await upload(server.url, sample, checksum="sha256")
    assert ["OPTIONS"] == server.methods


@pytest.mark.parametrize("status", [423, 429, 500, 503])
async def test_what_passes_is_waited_for_at_every_step(
    server: Troubled, sample: Sample, status: int
) -> None:
    for method in ("OPTIONS", "POST", "HEAD", "PATCH"):
        server.troubles[method] = [Trouble(status), Trouble(status)]

    done = await upload(server.url, sample, checksum="sha1")

    assert sample.digest == await digest_at(done.url)
    steps = [method for method, told in server.requests if told == status]
    assert 2 == steps.count("OPTIONS") == steps.count("POST")
    assert 2 == steps.count("HEAD") == steps.count("PATCH")


async def test_retry_after_is_waited_for(server: Troubled, sample: Sample) -> None:
    server.troubles["POST"] = [Trouble(503, {"Retry-After": "1"})]

    done = await upload(server.url, sample)

    assert done.seconds >= 1


async def test_after_a_conflict_the_server_says_where_to_go_on(
    server: Troubled, sample: Sample
) -> None:
    # The bytes have arrived, and the answer says otherwise.
    server.troubles["PATCH"] = [Trouble(409, after_all=True)]

    done = await upload(server.url, sample, chunk_size=2 * MIB)

    assert [("POST", 201), ("PATCH", 409), ("HEAD", 200), ("PATCH", 204)] == server.requests
    assert sample.digest == await digest_at(done.url)


async def test_a_chunk_that_arrives_damaged_is_sent_again(server: Troubled, sample: Sample) -> None:
    server.troubles["PATCH"] = [Trouble(460)]

    done = await upload(server.url, sample, checksum="sha256")

    assert sample.digest == await digest_at(done.url)


async def test_a_chunk_that_always_arrives_damaged_ends_the_upload(
    server: Troubled, sample: Sample
) -> None:
    server.troubles["PATCH"] = [Trouble(460)] * 10

    with pytest.raises(Refused, match="460"):
        await upload(server.url, sample, checksum="sha256")
    assert 4 == server.methods.count("PATCH")


async def test_a_refusal_comes_with_the_servers_words(server: Troubled, sample: Sample) -> None:
    problem = {"code": "too-large", "detail": "At most 1 MB.\x1b[2J", "status": 413}
    headers = {"Content-Type": "application/problem+json"}
    server.troubles["POST"] = [Trouble(413, headers, json.dumps(problem).encode())]

    with pytest.raises(Refused, match=r"refused to create the upload with 413: At most") as refused:
        await upload(server.url, sample)
    assert (413, "too-large", False) == (
        refused.value.status,
        refused.value.problem,
        refused.value.resumable,
    )
    assert "\x1b" not in str(refused.value)
    assert ["POST"] == server.methods


async def test_bytes_that_an_upload_does_not_take_are_no_reason_to_begin_anew(
    server: Troubled, sample: Sample
) -> None:
    server.troubles["PATCH"] = [Trouble(403, {"Content-Type": "text/plain"}, b"You are barred.")]

    with pytest.raises(Refused, match="to take bytes with 403: You are barred"):
        await upload(server.url, sample)
    assert ["POST", "PATCH", "HEAD"] == server.methods


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(404, tus=False),
        Trouble(405, tus=False),
        Trouble(200, body=b"<html>", tus=False),
        Trouble(201, {"Location": "ftp://elsewhere/"}),
        Trouble(201, {"Location": "http://two..dots/"}),
        Trouble(201, {"Location": "/files/x", "Upload-Offset": str(4 * MIB)}),
    ],
)
async def test_what_does_not_speak_tus_is_called_so(
    server: Troubled, sample: Sample, trouble: Trouble
) -> None:
    server.troubles["POST"] = [trouble]

    with pytest.raises(NoTusServer, match="does not speak tus"):
        await upload(server.url, sample)


async def test_a_redirect_is_told_and_not_followed(server: Troubled, sample: Sample) -> None:
    server.troubles["POST"] = [Trouble(308, {"Location": "https://example.com/"})]

    with pytest.raises(Refused, match="308: It leads to another URL"):
        await upload(server.url, sample)


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_an_upload_that_is_gone_begins_anew(
    server: Troubled, sample: Sample, folder: Path, status: int
) -> None:
    server.troubles["PATCH"] = [Trouble(413)]
    with pytest.raises(Refused):
        await upload(server.url, sample, folder)
    server.requests.clear()
    server.troubles["HEAD"] = [Trouble(status)]

    done = await upload(server.url, sample, folder)

    assert [("HEAD", status), ("POST", 201), ("PATCH", 204)] == server.requests
    assert 0 == done.resumed_at
    assert sample.digest == await digest_at(done.url)
    assert [] == left_in(folder)


async def test_an_upload_that_vanishes_again_and_again_ends(
    server: Troubled, sample: Sample
) -> None:
    server.troubles["PATCH"] = [Trouble(404)] * 10
    server.troubles["HEAD"] = [Trouble(404)] * 10

    with pytest.raises(Refused, match="404"):
        await upload(server.url, sample)
    assert 4 == server.methods.count("POST")


async def test_a_later_run_goes_on_with_what_is_remembered(
    server: Troubled, sample: Sample, folder: Path
) -> None:
    server.troubles["PATCH"] = [Trouble(413, after_all=True)]
    with pytest.raises(Refused):
        await upload(server.url, sample, folder, chunk_size=MIB)
    server.requests.clear()

    done = await upload(server.url, sample, folder)

    assert ["HEAD", "PATCH"] == server.methods
    assert MIB == done.resumed_at
    assert sample.digest == await digest_at(done.url)


async def test_parts_go_on_where_each_of_them_was(
    server: Troubled, sample: Sample, folder: Path
) -> None:
    server.troubles["POST"] = []
    server.troubles["PATCH"] = [Trouble(503, after_all=True)] * 1 + [Trouble(413)] * 9
    with pytest.raises(Refused):
        await upload(server.url, sample, folder, parallel=3, chunk_size=MIB // 2)
    server.troubles.clear()
    server.requests.clear()

    # However many parts are asked for now, those that were begun are finished.
    done = await upload(server.url, sample, folder, parallel=1)

    assert done.resumed_at == MIB // 2
    assert sample.digest == await digest_at(done.url)
    assert [] == left_in(folder)


async def test_an_upload_of_another_length_is_not_gone_on_with(
    server: Troubled, sample: Sample, folder: Path
) -> None:
    server.troubles["PATCH"] = [Trouble(413)]
    with pytest.raises(Refused):
        await upload(server.url, sample, folder)
    server.troubles["HEAD"] = [Trouble(200, {"Upload-Offset": "1", "Upload-Length": "2"})]

    done = await upload(server.url, sample, folder)

    assert sample.digest == await digest_at(done.url)


async def test_no_progress_for_too_long_is_given_up_with_the_reason(
    server: Troubled, sample: Sample, folder: Path
) -> None:
    server.troubles["PATCH"] = [Trouble(503)] * 1000

    with pytest.raises(GaveUp, match="because the server answered 503") as gave_up:
        await upload(server.url, sample, folder, patience=0.3)
    assert gave_up.value.resumable
    server.troubles.clear()
    assert sample.digest == await digest_at((await upload(server.url, sample, folder)).url)


@pytest.mark.parametrize("offset", [0, 4 * MIB])
async def test_a_server_that_takes_nothing_is_asked_less_and_less_and_given_up(
    server: Troubled, sample: Sample, folder: Path, offset: int
) -> None:
    server.troubles["PATCH"] = [Trouble(204, {"Upload-Offset": str(offset)})] * 1000

    with pytest.raises(GaveUp, match=f"to {3 * MIB + 7} with 204 and the offset {offset}") as told:
        await upload(server.url, sample, folder, first_delay=0.1, longest_delay=0.1, patience=0.5)
    assert told.value.resumable
    assert server.methods.count("PATCH") < 100
    server.troubles.clear()
    assert sample.digest == await digest_at((await upload(server.url, sample, folder)).url)


async def test_who_shall_come_back_later_than_patience_lasts_is_told_so(
    server: Troubled, sample: Sample
) -> None:
    server.troubles["POST"] = [Trouble(503, {"Retry-After": "3600"})]

    with pytest.raises(GaveUp, match="answered 503 and asks to come back in 1h, which is longer"):
        await upload(server.url, sample, patience=2)
    assert ["POST"] == server.methods


async def test_a_file_that_changes_is_told_and_forgotten(
    server: Troubled, sample: Sample, folder: Path
) -> None:
    def append() -> None:
        with sample.path.open("ab") as file:
            file.write(b"more")

    server.troubles["PATCH"] = [Trouble(503, meanwhile=append)]

    with pytest.raises(FileChanged, match="changed while it was being uploaded"):
        await upload(server.url, sample, folder)
    assert [] == left_in(folder)


async def test_a_token_goes_to_its_server_alone(server: Troubled, sample: Sample) -> None:
    elsewhere = f"http://localhost:{server.port}/files/"
    await Uploader(server.url, token=TOKEN, remember=False).upload(sample.path)
    assert {f"Bearer {TOKEN}"} == {headers["authorization"] for headers in server.headers}
    server.headers.clear()

    done = await Uploader(server.url, remember=False).upload(sample.path)
    moved = elsewhere + done.url.rpartition("/")[2]
    created = Trouble(201, {"Location": moved})
    server.troubles["POST"] = [created]
    server.headers.clear()
    await Uploader(server.url, token=TOKEN, remember=False).upload(sample.path)

    assert ["POST", "PATCH", "HEAD"] == server.methods[-3:]
    assert [True, False, False] == ["authorization" in headers for headers in server.headers]


async def test_progress_ends_with_everything(server: Troubled, sample: Sample) -> None:
    told: list[Progress] = []

    await Uploader(server.url, remember=False).upload(sample.path, on_progress=told.append)

    assert ("finished", sample.length, sample.length) == (
        told[-1].phase,
        told[-1].sent,
        told[-1].total,
    )
    assert sorted(progress.sent for progress in told) == [progress.sent for progress in told]
