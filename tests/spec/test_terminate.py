"""DELETE: an upload is given up."""

import asyncio
from pathlib import Path

import pytest

from tusd_py import Config
from tusd_py.testing.script import Stall

from .served import Serve, Served

MISSING = "/files/no-such-upload"


@pytest.mark.clause("termination.advertised")
async def test_it_is_advertised(tus: Served) -> None:
    extensions = (await tus.options()).header("Tus-Extension") or ""

    assert "termination" in extensions.split(",")


@pytest.mark.clause("termination.success", "termination.gone", "termination.frees")
@pytest.mark.parametrize("data", [b"", b"hel", b"hello"])
async def test_an_upload_is_terminated_however_far_it_got(tus: Served, data: bytes) -> None:
    url = await tus.new(data, length=5)

    response = await tus.delete(url)

    assert (204, b"") == (response.status, response.body)
    assert [] == [*await tus.server.uploads.list()]
    for gone in (
        await tus.head(url),
        await tus.patch(url, len(data), b"x"),
        await tus.get(url),
        await tus.delete(url),
    ):
        assert 404 == gone.status
        assert [] == gone.all("Upload-Offset")


@pytest.mark.clause("termination.gone")
async def test_what_is_gone_can_be_410(serve: Serve) -> None:
    tus = await serve(Config(gone_status=410))
    url = await tus.new(length=5)
    await tus.delete(url)

    assert 410 == (await tus.head(url)).status


@pytest.mark.clause("termination.success")
async def test_partial_and_final_uploads_are_terminated_too(tus: Served) -> None:
    part = await tus.part(b"part")
    final = (await tus.concatenate(part)).location

    assert 204 == (await tus.delete(part)).status
    assert b"part" == (await tus.get(final)).body
    assert 204 == (await tus.delete(final)).status


@pytest.mark.clause("termination.frees")
async def test_nothing_is_left_on_disk(tus: Served, tmp_path: Path) -> None:
    url = await tus.new(b"hello", length=5)
    unfinished = await tus.new(b"hel", length=5)
    await tus.delete(url)
    await tus.delete(unfinished)

    await asyncio.to_thread(assert_no_uploads_in, tmp_path)


def assert_no_uploads_in(folder: Path) -> None:
    # The server's own files have a dot in their names.
    assert [] == [file.name for file in folder.rglob("*") if file.is_file() and not file.suffix]


async def test_what_never_was_cannot_be_terminated(tus: Served) -> None:
    assert 404 == (await tus.delete(MISSING)).status


@pytest.mark.clause("termination.success")
async def test_a_transfer_under_way_is_ended_first(tus: Served) -> None:
    url, stall = await tus.new(length=11), Stall()
    transfer = asyncio.create_task(tus.patch(url, 0, b"hello", stall, b" world"))
    await stall.reached.wait()

    assert 204 == (await tus.delete(url)).status
    assert 423 == (await transfer).status
    assert 404 == (await tus.head(url)).status


async def test_it_can_be_switched_off(serve: Serve) -> None:
    tus = await serve(Config(disable_termination=True))
    url = await tus.new(length=5)

    response = await tus.delete(url)

    assert 405 == response.status
    assert "DELETE" not in (response.header("Allow") or "")
    assert 200 == (await tus.head(url)).status
    extensions = (await tus.options()).header("Tus-Extension") or ""
    assert "termination" not in extensions.split(",")


async def test_the_creation_url_cannot_be_terminated(tus: Served) -> None:
    assert 405 == (await tus.delete("/files/")).status
