"""Final uploads whose parts are still on their way."""

import asyncio

import pytest

from tests.support.asgi import VERSION, Response
from tusd_py import Config

from .served import Serve, Served


async def composed(tus: Served, url: str) -> Response:
    """Look at a final upload once all composing, which is in the background, has ended."""
    engine = await tus.server._runtime.started()
    await asyncio.gather(*engine.composing.values())
    return await tus.head(url)


@pytest.mark.clause("concatenation-unfinished.advertised")
async def test_it_is_advertised(tus: Served) -> None:
    extensions = (await tus.options()).header("Tus-Extension") or ""

    assert "concatenation-unfinished" in extensions.split(",")


@pytest.mark.clause("concatenation-unfinished.accepted", "concatenation.final-offset")
async def test_a_final_may_wait_for_its_parts(tus: Served) -> None:
    part = await tus.part(b"he", length=5)

    response = await tus.concatenate(part)

    assert 201 == response.status
    found = await tus.head(response.location)
    assert 200 == found.status
    assert [] == found.all("Upload-Offset")


@pytest.mark.clause("concatenation.length-known", "concatenation.head-concat")
async def test_what_can_be_told_of_it_is_told(tus: Served) -> None:
    one, two = await tus.part(b"", length=5), await tus.part(b"12", length=6)

    found = await tus.head((await tus.concatenate(one, two)).location)

    assert "11" == found.header("Upload-Length")
    assert f"final;{one} {two}" == found.header("Upload-Concat")
    assert "no-store" == found.header("Cache-Control")


@pytest.mark.clause("concatenation.length-known", "creation.defer-omitted")
async def test_a_part_without_a_length_leaves_it_open(tus: Served) -> None:
    part = await tus.new(headers=[("Upload-Concat", "partial")])
    final = (await tus.concatenate(part)).location

    found = await tus.head(final)
    assert [] == [*found.all("Upload-Length"), *found.all("Upload-Defer-Length")]

    await tus.patch(part, 0, b"he", headers=[("Upload-Length", "5")])
    assert "5" == (await tus.head(final)).header("Upload-Length")


@pytest.mark.clause("concatenation.final-complete", "concatenation-unfinished.accepted")
async def test_it_is_done_when_the_last_part_is(tus: Served) -> None:
    one, two = await tus.part(b"", length=5), await tus.part(b"", length=6)
    final = (await tus.concatenate(one, two)).location

    await tus.patch(two, 0, b" world")
    assert [] == (await tus.head(final)).all("Upload-Offset")
    await tus.patch(one, 0, b"hello")

    found = await composed(tus, final)
    assert ("11", "11") == (found.header("Upload-Length"), found.header("Upload-Offset"))
    assert b"hello world" == (await tus.get(final)).body


@pytest.mark.clause("concatenation-unfinished.accepted")
async def test_a_part_that_ends_by_its_declared_length_counts(tus: Served) -> None:
    part = await tus.new(b"part", headers=[("Upload-Concat", "partial")])
    final = (await tus.concatenate(part)).location

    await tus.patch(part, 4, headers=[("Upload-Length", "4")])

    assert 4 == (await composed(tus, final)).offset


@pytest.mark.clause("concatenation-unfinished.accepted")
async def test_several_finals_may_wait_for_one_part(tus: Served) -> None:
    part = await tus.part(b"", length=4)
    finals = [
        (await tus.concatenate(part)).location,
        (await tus.concatenate(part, part)).location,
    ]
    await tus.patch(part, 0, b"part")

    assert [4, 8] == [(await composed(tus, final)).offset for final in finals]


@pytest.mark.clause("concatenation.patch-final", "concatenation.patch-final-unmodified")
async def test_a_waiting_final_takes_no_bytes_either(tus: Served) -> None:
    part = await tus.part(b"", length=4)
    final = (await tus.concatenate(part)).location

    assert 403 == (await tus.patch(final, 0, b"more")).status
    assert 0 == (await tus.head(part)).offset


@pytest.mark.clause("concatenation.repeated")
async def test_the_same_request_again_finds_the_waiting_upload(tus: Served) -> None:
    part = await tus.part(b"", length=4)

    first, again = await tus.concatenate(part), await tus.concatenate(part)
    await tus.patch(part, 0, b"part")
    late = await tus.concatenate(part)

    assert first.location == again.location == late.location
    assert 4 == late.offset


async def test_a_waiting_final_cannot_be_downloaded(tus: Served) -> None:
    final = (await tus.concatenate(await tus.part(b"", length=4))).location

    assert 404 == (await tus.get(final)).status


@pytest.mark.clause("termination.success")
async def test_a_waiting_final_can_be_terminated(tus: Served) -> None:
    part = await tus.part(b"", length=4)
    final = (await tus.concatenate(part)).location

    assert 204 == (await tus.delete(final)).status
    assert 204 == (await tus.patch(part, 0, b"part")).status
    assert 404 == (await tus.head(final)).status


@pytest.mark.clause("creation.max-size")
async def test_parts_that_grow_do_not_get_around_the_limit(serve: Serve) -> None:
    tus = await serve(Config(max_size=9))
    part = await tus.new(headers=[("Upload-Concat", "partial")])
    response = await tus.concatenate(part, part)
    assert 201 == response.status

    await tus.patch(part, 0, b"12345", headers=[("Upload-Length", "5")])

    assert 413 == (await tus.concatenate(part, part)).status
    assert [] == (await composed(tus, response.location)).all("Upload-Offset")


async def test_a_part_that_was_terminated_leaves_its_final_waiting(tus: Served) -> None:
    part = await tus.part(b"", length=4)
    final = (await tus.concatenate(part)).location
    await tus.delete(part)

    found = await tus.head(final)

    assert 200 == found.status
    assert [] == [*found.all("Upload-Offset"), *found.all("Upload-Length")]
    assert VERSION[1] == found.header("Tus-Resumable")
