"""GET: parts of a finished upload, and what a client has already."""

import json

import pytest

from tests.support.asgi import Header, Response
from tusd_py import Changes, NewUpload, TusApp
from tusd_py.streaming.connection import PATH_SEND, ZERO_COPY

from .served import Kind, Serve, Served

DATA = bytes(range(256)) * 2000
SIZE = len(DATA)


@pytest.fixture(params=[ZERO_COPY, PATH_SEND, None], ids=["zero copy", "path send", "pieces"])
async def tus(serve: Serve, request: pytest.FixtureRequest) -> Served:
    """A server with the default settings."""
    tus = await serve()
    if request.param is not None:
        tus.scope["extensions"] = {request.param: {}}
    return tus


@pytest.fixture
async def url(tus: Served) -> str:
    """A finished upload."""
    return await tus.new(DATA, length=SIZE)


async def asked(tus: Served, url: str, *headers: Header) -> Response:
    return await tus.request("GET", url, headers)


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-299999", 100, 300_000),
        (f"bytes={SIZE - 5}-", SIZE - 5, SIZE),
        ("bytes=-200000", SIZE - 200_000, SIZE),
        ("bytes=0-", 0, SIZE),
        ("bytes=400000-99999999", 400_000, SIZE),
    ],
)
async def test_a_part_can_be_fetched(
    tus: Served, url: str, wanted: str, start: int, end: int
) -> None:
    response = await asked(tus, url, ("Range", wanted))

    assert 206 == response.status
    assert DATA[start:end] == response.body
    assert f"bytes {start}-{end - 1}/{SIZE}" == response.header("Content-Range")
    assert str(end - start) == response.header("Content-Length")


async def test_a_part_says_of_what_it_is_one(tus: Served, url: str) -> None:
    whole, part = await tus.get(url), await asked(tus, url, ("Range", "bytes=1-2"))

    for name in ("ETag", "Last-Modified", "Content-Type", "Content-Disposition", "Accept-Ranges"):
        assert whole.header(name) == part.header(name) is not None
    assert [] == whole.all("Content-Range")


async def test_a_server_sends_a_part_of_a_file_only_if_it_can(
    tus: Served, url: str, kind: Kind
) -> None:
    response = await asked(tus, url, ("Range", "bytes=1-2"))

    zero_copy = ZERO_COPY in tus.scope.get("extensions", {})
    assert response.from_file is (zero_copy and kind == "disk")


@pytest.mark.parametrize("wanted", ["bytes=0-1,4-5", "items=0-1", "bytes=5-2", "bytes=x"])
async def test_several_ranges_and_other_things_are_answered_whole(
    tus: Served, url: str, wanted: str
) -> None:
    response = await asked(tus, url, ("Range", wanted))

    assert (200, DATA) == (response.status, response.body)


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", "bytes=-0"])
async def test_a_part_that_is_not_there_is_refused(tus: Served, url: str, wanted: str) -> None:
    response = await asked(tus, url, ("Range", wanted))

    assert (416, f"bytes */{SIZE}") == (response.status, response.header("Content-Range"))
    assert "range-not-satisfiable" == json.loads(response.body)["code"]


async def test_of_an_empty_file_there_is_only_the_whole(tus: Served) -> None:
    response = await asked(tus, await tus.new(length=0), ("Range", "bytes=0-"))

    assert (200, b"", "0") == (response.status, response.body, response.header("Content-Length"))


async def test_who_has_it_gets_no_body(tus: Served, url: str) -> None:
    first = await tus.get(url)
    etag, modified = first.header("ETag") or "", first.header("Last-Modified") or ""

    for condition in (("If-None-Match", etag), ("If-Modified-Since", modified)):
        again = await asked(tus, url, condition, ("Range", "bytes=0-1"))
        assert (304, b"", etag) == (again.status, again.body, again.header("ETag"))
        assert [] == [*again.all("Content-Length"), *again.all("Content-Type")]


async def test_who_expects_another_gets_none(tus: Served, url: str) -> None:
    response = await asked(tus, url, ("If-Match", '"other"'), ("Range", "bytes=0-1"))

    assert 412 == response.status
    assert "precondition-failed" == json.loads(response.body)["code"]
    assert [] == response.all("Tus-Version")


async def test_who_has_a_part_of_the_same_gets_the_rest(tus: Served, url: str) -> None:
    first = await tus.get(url)

    for validator in (first.header("ETag") or "", first.header("Last-Modified") or ""):
        rest = await asked(tus, url, ("If-Range", validator), ("Range", "bytes=9-"))
        assert (206, DATA[9:]) == (rest.status, rest.body)


@pytest.mark.parametrize("validator", ['"other"', "Sun, 06 Nov 1994 08:49:37 GMT"])
async def test_who_has_a_part_of_another_gets_all(tus: Served, url: str, validator: str) -> None:
    response = await asked(tus, url, ("If-Range", validator), ("Range", "bytes=9-"))

    assert (200, DATA) == (response.status, response.body)


async def test_conditions_are_not_judged_where_there_is_nothing(tus: Served) -> None:
    unfinished = await tus.new(b"he", length=5)

    for url in ("/files/no-such-upload", unfinished):
        assert 404 == (await asked(tus, url, ("If-None-Match", "*"))).status
        assert 404 == (await asked(tus, url, ("If-Match", "*"))).status


async def test_validators_tell_uploads_apart(tus: Served, url: str) -> None:
    other = await tus.new(DATA, length=SIZE)

    assert (await tus.get(url)).header("ETag") == (await tus.get(url)).header("ETag")
    assert (await tus.get(url)).header("ETag") != (await tus.get(other)).header("ETag")


async def test_an_id_that_comes_again_is_another_upload(serve: Serve) -> None:
    def name_all_the_same(server: TusApp) -> None:
        @server.on_create
        async def name(_: NewUpload) -> Changes:
            return Changes(id="the-one")

    tus = await serve(setup=name_all_the_same)
    url = await tus.new(b"hello", length=5)
    before = await tus.get(url)
    await tus.delete(url)
    tus.clock.advance(0.5)

    again = await asked(
        tus,
        await tus.new(b"other", length=5),
        ("If-Range", before.header("ETag") or ""),
        ("Range", "bytes=1-"),
    )

    assert (200, b"other") == (again.status, again.body)


async def test_the_date_is_that_of_the_end(tus: Served) -> None:
    url = await tus.new(b"he", length=5)
    tus.clock.now = 1_800_000_100.7
    await tus.patch(url, 2, b"llo")

    assert "Fri, 15 Jan 2027 08:01:40 GMT" == (await tus.get(url)).header("Last-Modified")


async def test_caches_ask_before_they_answer(tus: Served, url: str) -> None:
    etag = (await tus.get(url)).header("ETag") or ""

    for headers in ([], [("Range", "bytes=0-1")], [("If-None-Match", etag)]):
        response = await tus.request("GET", url, headers)
        assert "private, no-cache" == response.header("Cache-Control")
