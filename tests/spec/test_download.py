"""GET: a finished upload as a file, behind servers that send files themselves and others."""

import asyncio
import json
from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.asgi import VERSION
from tusd_py import Config, FileStorage
from tusd_py.errors import StorageError
from tusd_py.streaming.connection import PATH_SEND, ZERO_COPY
from tusd_py.testing import Fault, FaultyComposingStorage, FaultyFileStorage, Plan
from tusd_py.testing.script import Stall

from .served import Kind, Serve, Served


@pytest.fixture(params=[ZERO_COPY, PATH_SEND, None], ids=["zero copy", "path send", "pieces"])
def sending(request: pytest.FixtureRequest) -> str | None:
    """ASGI's extension for sending files that the server offers."""
    offered: str | None = request.param
    return offered


@pytest.fixture
async def tus(serve: Serve, sending: str | None) -> Served:
    """A server with the default settings."""
    tus = await serve()
    if sending is not None:
        tus.scope["extensions"] = {sending: {}}
    return tus


def metadata(**pairs: str) -> tuple[str, str]:
    encoded = (f"{key} {b64encode(value.encode()).decode()}" for key, value in pairs.items())
    return "Upload-Metadata", ",".join(encoded)


async def test_a_finished_upload_can_be_fetched(tus: Served) -> None:
    data = bytes(range(256)) * 10_000
    url = await tus.new(data, length=len(data))

    response = await tus.get(url)

    assert 200 == response.status
    assert data == response.body
    assert str(len(data)) == response.header("Content-Length")


async def test_one_without_bytes_can_be_fetched_too(tus: Served) -> None:
    response = await tus.get(await tus.new(length=0))

    assert (200, b"", "0") == (response.status, response.body, response.header("Content-Length"))


async def test_the_server_sends_the_file_where_there_is_one(
    tus: Served, sending: str | None, kind: Kind
) -> None:
    response = await tus.get(await tus.new(b"hello", length=5))

    assert response.from_file is (sending is not None and kind == "disk")


async def test_the_server_sends_no_file_if_that_is_switched_off(
    serve: Serve, sending: str | None
) -> None:
    tus = await serve(Config(direct_body=False))
    tus.scope["extensions"] = {} if sending is None else {sending: {}}

    response = await tus.get(await tus.new(b"hello", length=5))

    assert (b"hello", False) == (response.body, response.from_file)


@pytest.mark.parametrize("data", [b"", b"he"])
async def test_an_unfinished_one_cannot(tus: Served, data: bytes) -> None:
    assert 404 == (await tus.get(await tus.new(data, length=5))).status


async def test_what_there_is_of_an_unfinished_one_can_if_that_is_wanted(
    serve: Serve, sending: str | None
) -> None:
    tus = await serve(Config(download_unfinished=True))
    tus.scope["extensions"] = {} if sending is None else {sending: {}}
    url = await tus.new(b"he", length=5)

    before = await tus.get(url)
    await tus.patch(url, 2, b"ll")
    after = await tus.get(url)

    assert (200, b"he", "2") == (before.status, before.body, before.header("Content-Length"))
    assert (200, b"hell", "4") == (after.status, after.body, after.header("Content-Length"))
    assert before.header("ETag") != after.header("ETag")
    assert [] == before.all("Last-Modified")


async def test_to_fetch_one_that_is_coming_in_does_not_disturb_it(serve: Serve) -> None:
    tus = await serve(Config(download_unfinished=True))
    url = await tus.new(b"he", length=5)
    stall = Stall(until=asyncio.Event())
    coming = asyncio.create_task(tus.patch(url, 2, b"l", stall, b"lo"))
    await stall.reached.wait()

    found = await tus.get(url)

    assert (200, b"he") == (found.status, found.body[:2])
    assert stall.until is not None
    stall.until.set()
    assert 204 == (await coming).status


async def test_a_final_one_without_its_parts_cannot_in_any_case(serve: Serve) -> None:
    tus = await serve(Config(download_unfinished=True))
    part = (await tus.create(length=5, headers=[("Upload-Concat", "partial")])).location
    final = (await tus.concatenate(part)).location

    assert 404 == (await tus.get(final)).status


async def test_what_is_not_there_is_not_found(tus: Served) -> None:
    assert 404 == (await tus.get("/files/no-such-upload")).status


async def test_browsers_save_it_and_do_not_guess(tus: Served) -> None:
    url = await tus.new(b"hello", length=5)

    response = await tus.get(url)

    assert "application/octet-stream" == response.header("Content-Type")
    assert "attachment" == response.header("Content-Disposition")
    assert "nosniff" == response.header("X-Content-Type-Options")


async def test_it_has_the_name_and_type_that_came_with_it(tus: Served) -> None:
    headers = [metadata(filename="a b.txt", filetype="text/plain")]
    url = await tus.new(b"hello", length=5, headers=headers)

    response = await tus.get(url)

    assert "text/plain" == response.header("Content-Type")
    assert 'inline; filename="a b.txt"' == response.header("Content-Disposition")


async def test_what_a_browser_shows_is_no_page_of_this_server(tus: Served) -> None:
    shown = await tus.new(b"hello", length=5, headers=[metadata(filetype="image/png")])
    saved = await tus.new(b"hello", length=5, headers=[metadata(filetype="text/html")])

    assert "sandbox" == (await tus.get(shown)).header("Content-Security-Policy")
    assert "application/octet-stream" == (await tus.get(saved)).header("Content-Type")
    assert "attachment" == (await tus.get(saved)).header("Content-Disposition")


async def test_names_of_other_scripts_come_through(tus: Served) -> None:
    url = await tus.new(b"hello", length=5, headers=[metadata(filename='Грусть".txt')])

    response = await tus.get(url)

    assert (
        "attachment; filename=\"_______.txt\"; filename*=UTF-8''"
        "%D0%93%D1%80%D1%83%D1%81%D1%82%D1%8C%22.txt"
    ) == response.header("Content-Disposition")


@pytest.mark.parametrize("filetype", ["", "text", "text/html; charset=x", "a b/c", "é/é"])
async def test_a_type_that_is_not_for_showing_is_ignored(tus: Served, filetype: str) -> None:
    url = await tus.new(b"hello", length=5, headers=[metadata(filetype=filetype)])

    assert "application/octet-stream" == (await tus.get(url)).header("Content-Type")


async def test_it_can_be_switched_off(serve: Serve) -> None:
    tus = await serve(Config(disable_download=True))
    url = await tus.new(b"hello", length=5)

    response = await tus.get(url)

    assert 405 == response.status
    assert "GET" not in (response.header("Allow") or "")


async def test_head_is_the_protocols_and_not_that_of_the_download(tus: Served) -> None:
    url = await tus.new(b"hello", length=5, headers=[metadata(filetype="text/plain")])

    assert 412 == (await tus.request("HEAD", url)).status
    found = await tus.request("HEAD", url, [VERSION])
    names = ("Content-Disposition", "Content-Length", "ETag", "Accept-Ranges", "Last-Modified")
    assert [] == [value for name in names for value in found.all(name)]


async def test_head_knows_neither_conditions_nor_ranges(tus: Served) -> None:
    url = await tus.new(b"hello", length=5)
    etag = (await tus.get(url)).header("ETag") or ""
    asked = [("If-None-Match", etag), ("If-Match", '"other"'), ("Range", "bytes=99-")]

    found = await tus.request("HEAD", url, [VERSION, *asked])

    assert (200, 5) == (found.status, found.offset)


async def test_what_cannot_be_read_is_an_error_and_not_an_empty_success(serve: Serve) -> None:
    plan = Plan(Fault(method="read", error=StorageError))
    tus = await serve(storage=lambda storage: FaultyComposingStorage(storage, plan))
    url = await tus.new(b"hello", length=5)

    response = await tus.get(url)

    assert (500, "storage-error") == (response.status, json.loads(response.body)["code"])


async def test_what_cannot_be_opened_is_an_error_and_not_an_empty_success(
    serve: Serve, tmp_path: Path
) -> None:
    plan = Plan(Fault(method="open", error=StorageError))
    tus = await serve(storage=lambda _: FaultyFileStorage(FileStorage(tmp_path), plan))
    tus.scope["extensions"] = {ZERO_COPY: {}}
    url = await tus.new(b"hello", length=5)

    response = await tus.get(url)

    assert (500, "storage-error") == (response.status, json.loads(response.body)["code"])
    assert (200, b"hello") == ((await tus.get(url)).status, (await tus.get(url)).body)
