"""HEAD: where an upload stands."""

import pytest

from tests.support.asgi import VERSION
from tusd_py import Config

from .served import Serve, Served

MISSING = "/files/no-such-upload"


@pytest.mark.clause("head.offset", "head.status")
async def test_a_new_upload_stands_at_zero(tus: Served) -> None:
    response = await tus.head(await tus.new(length=5))

    assert 200 == response.status
    assert "0" == response.header("Upload-Offset")


@pytest.mark.clause("head.offset")
async def test_an_upload_stands_where_its_bytes_end(tus: Served) -> None:
    url = await tus.new(length=5)
    await tus.patch(url, 0, b"hel")

    assert "3" == (await tus.head(url)).header("Upload-Offset")


@pytest.mark.clause("head.offset")
async def test_a_finished_upload_stands_at_its_length(tus: Served) -> None:
    response = await tus.head(await tus.new(b"hello", length=5))

    assert "5" == response.header("Upload-Offset")
    assert "5" == response.header("Upload-Length")


@pytest.mark.clause("head.length", "creation.defer-omitted")
async def test_a_known_length_is_told(tus: Served) -> None:
    response = await tus.head(await tus.new(length=5))

    assert "5" == response.header("Upload-Length")
    assert [] == response.all("Upload-Defer-Length")


@pytest.mark.clause("creation.defer-head")
async def test_an_unknown_length_is_told_too(tus: Served) -> None:
    response = await tus.head(await tus.new())

    assert "1" == response.header("Upload-Defer-Length")
    assert [] == response.all("Upload-Length")


@pytest.mark.clause("head.no-store")
async def test_nobody_caches_it(tus: Served) -> None:
    url = await tus.new(length=5)

    assert "no-store" == (await tus.head(url)).header("Cache-Control")
    assert "no-store" == (await tus.head(MISSING)).header("Cache-Control")


async def test_without_metadata_there_is_no_such_header(tus: Served) -> None:
    assert [] == (await tus.head(await tus.new(length=5))).all("Upload-Metadata")


async def test_it_has_no_body(tus: Served) -> None:
    assert b"" == (await tus.head(await tus.new(b"hello", length=5))).body
    assert b"" == (await tus.head(MISSING)).body


@pytest.mark.clause("head.not-found")
@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_not_there_has_no_offset(serve: Serve, status: int) -> None:
    tus = await serve(Config(gone_status=404 if status == 404 else 410))

    response = await tus.head(MISSING)

    assert status == response.status
    assert [] == response.all("Upload-Offset")
    assert "1.0.0" == response.header("Tus-Resumable")


@pytest.mark.parametrize(
    "path", ["/files/a/b", "/files//", "/files/..", "/files/%00", "/files/a\x00b", "/files/\xfc"]
)
async def test_a_path_that_is_no_uploads_is_not_found(tus: Served, path: str) -> None:
    assert 404 == (await tus.head(path)).status


async def test_the_query_is_not_part_of_the_upload(tus: Served) -> None:
    assert 200 == (await tus.head(await tus.new(length=5) + "?a=b")).status


@pytest.mark.parametrize(
    "header",
    [
        ("Range", "bytes=0-1"),
        ("If-None-Match", "*"),
        ("If-Modified-Since", "Sat, 01 Jan 2050 00:00:00 GMT"),
        ("Upload-Concat", "partial"),
        ("Content-Type", "text/plain"),
        ("Upload-Offset", "-1"),
    ],
)
async def test_headers_of_other_requests_change_nothing(
    tus: Served, header: tuple[str, str]
) -> None:
    url = await tus.new(b"hello", length=5)

    response = await tus.request("HEAD", url, [VERSION, header])

    assert (200, 5) == (response.status, response.offset)


async def test_the_creation_url_is_no_upload(tus: Served) -> None:
    response = await tus.head("/files/")

    assert 405 == response.status
    assert "OPTIONS, POST" == response.header("Allow")
    assert [] == response.all("Upload-Offset")
