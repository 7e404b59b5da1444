"""A process that died, and what the next one makes of its folder."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.spec.served import Backends, Kind, upload_id
from tests.spec.test_checksum import checksum
from tests.support.asgi import DISCONNECT
from tusd_py import TusApp, Upload

DATA = b"hello world"


@pytest.fixture(params=["disk"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Only a folder outlives a process."""
    chosen: Kind = request.param
    return chosen


def file_of(backends: Backends, url: str) -> Path:
    (file,) = (backends.folder / "uploads").rglob(upload_id(url))
    return file


async def crashed(
    backends: Backends, recorded: bytes, stored: bytes, *, verifying: bool = False
) -> str:
    """Leave an upload behind with other bytes than were recorded."""
    tus = await backends.serve()
    url = await tus.new(recorded, length=len(DATA))
    if verifying:
        metadata = (await tus.server._runtime.started()).metadata
        upload = await tus.server.uploads.get(upload_id(url))
        await metadata.record(upload._replace(verifying=True))
    await backends.stop()
    await asyncio.to_thread(file_of(backends, url).write_bytes, stored)
    return url


@pytest.mark.parametrize("first", ["HEAD", "PATCH"])
async def test_after_a_crash_bytes_that_were_not_recorded_count(
    backends: Backends, first: str
) -> None:
    url = await crashed(backends, b"he", b"hello ")
    tus = await backends.serve()

    if first == "HEAD":
        assert 6 == (await tus.head(url)).offset
    assert (204, 11) == ((response := await tus.patch(url, 6, b"world")).status, response.offset)
    assert DATA == (await tus.get(url)).body


@pytest.mark.parametrize("first", ["HEAD", "PATCH"])
async def test_after_a_restart_of_the_machine_only_what_was_recorded_counts(
    backends: Backends, first: str
) -> None:
    url = await crashed(backends, b"he", b"hello ")
    tus = await backends.serve(boot_id="another-boot")

    if first == "HEAD":
        assert 2 == (await tus.head(url)).offset
        assert b"he" == await asyncio.to_thread(file_of(backends, url).read_bytes)
    assert (409, 2) == ((response := await tus.patch(url, 6, b"world")).status, response.offset)
    assert 204 == (await tus.patch(url, 2, DATA[2:])).status
    assert DATA == (await tus.get(url)).body


async def test_bytes_that_were_being_verified_never_count(backends: Backends) -> None:
    url = await crashed(backends, b"he", b"hello ", verifying=True)
    tus = await backends.serve()

    assert 2 == (await tus.head(url)).offset
    assert b"he" == await asyncio.to_thread(file_of(backends, url).read_bytes)


async def test_a_crash_after_the_verification_is_one_like_others(backends: Backends) -> None:
    tus = await backends.serve()
    url = await tus.new(length=len(DATA))
    await tus.patch(url, 0, b"he", headers=[checksum(b"he")])
    await backends.stop()
    await asyncio.to_thread(file_of(backends, url).write_bytes, b"hello ")

    assert 6 == (await (await backends.serve()).head(url)).offset


async def test_bytes_past_the_length_do_not_count(backends: Backends) -> None:
    url = await crashed(backends, b"he", DATA + b"!!!")
    tus = await backends.serve()

    assert 11 == (await tus.head(url)).offset
    assert DATA == (await tus.get(url)).body


@pytest.mark.parametrize("boot_id", ["a-boot", "another-boot"])
async def test_fewer_bytes_than_were_acknowledged_are_damage(
    backends: Backends, boot_id: str
) -> None:
    url = await crashed(backends, b"hello", b"he")
    tus = await backends.serve(boot_id=boot_id)

    found, patched = await tus.head(url), await tus.patch(url, 5, b" world")

    assert [500, 500] == [found.status, patched.status]
    assert [] == [*found.all("Upload-Offset"), *patched.all("Upload-Offset")]
    assert "storage-damaged" == json.loads(patched.body)["code"]
    assert 204 == (await tus.delete(url)).status


async def test_a_missing_file_is_damage_too(backends: Backends) -> None:
    url = await crashed(backends, b"hello", b"")
    await asyncio.to_thread(file_of(backends, url).unlink)

    assert 500 == (await (await backends.serve()).head(url)).status


async def test_an_upload_without_bytes_has_nothing_to_lose(backends: Backends) -> None:
    tus = await backends.serve()
    url = await tus.new(length=len(DATA))
    await backends.stop()
    tus = await backends.serve(boot_id="another-boot")

    assert 0 == (await tus.head(url)).offset
    assert 204 == (await tus.patch(url, 0, DATA)).status


@pytest.mark.parametrize("first", ["HEAD", "PATCH"])
async def test_a_crash_between_the_last_byte_and_the_end_is_made_good(
    backends: Backends, first: str
) -> None:
    url = await crashed(backends, b"he", DATA)
    finished: list[str] = []

    def setup(server: TusApp) -> None:
        @server.before_finish
        async def note(upload: Upload) -> None:
            finished.append(upload.id)

    tus = await backends.serve(setup=setup)

    response = await (tus.head(url) if first == "HEAD" else tus.patch(url, 11))

    assert 11 == response.offset
    assert [upload_id(url)] == finished
    assert DATA == (await tus.get(url)).body


async def test_what_was_finished_is_found_again(backends: Backends) -> None:
    tus = await backends.serve()
    url = await tus.new(DATA, length=11, headers=[("Upload-Metadata", "a YQ==")])
    await backends.stop()
    tus = await backends.serve(boot_id="another-boot")

    found = await tus.head(url)

    assert (11, "a YQ==") == (found.offset, found.header("Upload-Metadata"))
    assert DATA == (await tus.get(url)).body


async def test_a_final_that_was_being_composed_is_composed_anew(backends: Backends) -> None:
    tus = await backends.serve()
    part = await tus.part(b"", length=11)
    final = (await tus.concatenate(part)).location
    await tus.patch(part, 0, DATA, DISCONNECT)
    await backends.stop()
    for _ in range(2):
        tus = await backends.serve()
        await tus.head(final)
        engine = await tus.server._runtime.started()
        await asyncio.gather(*engine.composing.values())
        assert 11 == (await tus.head(final)).offset
        await backends.stop()


async def test_who_is_cancelled_while_the_record_is_on_its_way_keeps_the_file(
    backends: Backends,
) -> None:
    tus = await backends.serve()
    files = backends.folder / "files"
    with closing(sqlite3.connect(backends.folder / "tus.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        request = asyncio.create_task(tus.create(DATA, length=len(DATA)))
        while not await asyncio.to_thread(stored_in, files):  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.001)
        metadata: Any = (await tus.server._runtime.started()).metadata
        while metadata._shared._task is None:  # noqa: ASYNC110 - nor has a queue
            await asyncio.sleep(0)
        request.cancel()
        await asyncio.wait((request,))
        other.execute("ROLLBACK")
    await backends.stop()
    tus = await backends.serve()
    (upload,) = await tus.server.uploads.list()

    assert upload.finished
    assert DATA == (await tus.get(f"/files/{upload.id}")).body


def stored_in(folder: Path) -> bool:
    return any(file.is_file() for file in folder.rglob("*"))
