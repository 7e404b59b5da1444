"""PATCH: more bytes for an upload."""

import asyncio

import pytest

from tests.support.asgi import CHUNKED, DISCONNECT, OFFSET_TYPE, VERSION, Header
from tusd_py import Config
from tusd_py.testing.script import Stall

from .served import Serve, Served
from .test_create import NOT_INTEGERS

MISSING = "/files/no-such-upload"


@pytest.mark.clause("patch.success", "patch.new-offset", "patch.any-url")
async def test_bytes_are_appended(tus: Served) -> None:
    url = await tus.new(length=11)

    response = await tus.patch(url, 0, b"hello")

    assert 204 == response.status
    assert "5" == response.header("Upload-Offset")
    assert b"hello" == await tus.stored(url)


@pytest.mark.clause("patch.offset-sum", "patch.any-url")
async def test_requests_add_up(tus: Served) -> None:
    url = await tus.new(length=11)

    offsets = [
        (await tus.patch(url, offset, data)).offset
        for offset, data in ((0, b"hello"), (5, b" "), (6, b"world"))
    ]

    assert [5, 6, 11] == offsets
    assert b"hello world" == (await tus.get(url)).body


@pytest.mark.clause("patch.any-url")
async def test_a_body_may_come_in_chunks_of_unknown_sum(tus: Served) -> None:
    url = await tus.new(length=11)

    response = await tus.patch(url, 0, b"hello", b"", b" wor", b"ld", chunked=True)

    assert (204, 11) == (response.status, response.offset)
    assert b"hello world" == (await tus.get(url)).body


@pytest.mark.clause("patch.any-url")
async def test_large_bodies_arrive_whole(tus: Served) -> None:
    data = bytes(range(256)) * 40_000
    url = await tus.new(length=len(data))
    pieces = [data[start : start + 60_000] for start in range(0, len(data), 60_000)]

    response = await tus.patch(url, 0, *pieces)

    assert (204, len(data)) == (response.status, response.offset)
    assert data == (await tus.get(url)).body


@pytest.mark.clause("patch.content-type")
@pytest.mark.parametrize(
    "typed",
    [
        [],
        [("Content-Type", "")],
        [("Content-Type", "application/octet-stream")],
        [("Content-Type", "application/offset+octet-streams")],
        [OFFSET_TYPE, OFFSET_TYPE],
    ],
)
@pytest.mark.parametrize("body", [b"hello", b""])
async def test_another_content_type_is_refused_unread(
    tus: Served, typed: list[Header], body: bytes
) -> None:
    url = await tus.new(length=5)
    size = ("Content-Length", str(len(body)))

    response = await tus.request(
        "PATCH", url, [VERSION, ("Upload-Offset", "0"), size, *typed], body
    )

    assert (415, 0) == (response.status, response.reads)
    assert 0 == (await tus.head(url)).offset


@pytest.mark.clause("patch.content-type")
@pytest.mark.parametrize(
    "media_type",
    [
        "Application/Offset+Octet-Stream",
        "application/offset+octet-stream; charset=utf-8",
        "application/offset+octet-stream;x=y",
    ],
)
async def test_case_and_parameters_of_the_content_type_do_not_matter(
    tus: Served, media_type: str
) -> None:
    url = await tus.new(length=5)
    headers = [VERSION, ("Content-Type", media_type), ("Upload-Offset", "0"), CHUNKED]

    assert 204 == (await tus.request("PATCH", url, headers, b"hello")).status


@pytest.mark.clause("core.offset-integer", "patch.offset-header")
@pytest.mark.parametrize("offset", NOT_INTEGERS)
async def test_an_offset_that_is_no_integer_is_refused(tus: Served, offset: str) -> None:
    url = await tus.new(length=5)
    headers = [VERSION, OFFSET_TYPE, ("Upload-Offset", offset), CHUNKED]

    response = await tus.request("PATCH", url, headers, b"hello")

    assert (400, 0) == (response.status, response.reads)
    assert [] == response.all("Upload-Offset")


@pytest.mark.clause("patch.offset-header")
async def test_an_offset_is_needed(tus: Served) -> None:
    url = await tus.new(length=5)

    response = await tus.request("PATCH", url, [VERSION, OFFSET_TYPE, CHUNKED], b"hello")

    assert (400, 0) == (response.status, response.reads)


@pytest.mark.clause("core.repeated-header", "patch.offset-header")
async def test_an_offset_that_is_sent_twice_is_refused(tus: Served) -> None:
    url = await tus.new(length=5)

    response = await tus.patch(url, 0, b"hello", headers=[("Upload-Offset", "0")])

    assert 400 == response.status


@pytest.mark.clause("patch.offset-mismatch", "patch.mismatch-unmodified")
@pytest.mark.parametrize("offset", [0, 2, 4, 5, 100])
@pytest.mark.parametrize("chunked", [False, True])
async def test_another_offset_is_a_conflict_and_changes_nothing(
    tus: Served, offset: int, *, chunked: bool
) -> None:
    url = await tus.new(b"abc", length=10)

    response = await tus.patch(url, offset, b"XYZ", chunked=chunked)

    assert (409, 0) == (response.status, response.reads)
    assert "3" == response.header("Upload-Offset")
    assert b"abc" == await tus.stored(url)


@pytest.mark.clause("patch.offset-mismatch")
async def test_a_finished_upload_knows_its_offset_too(tus: Served) -> None:
    url = await tus.new(b"abc", length=3)

    response = await tus.patch(url, 0, b"abc")

    assert (409, 3) == (response.status, response.offset)


@pytest.mark.clause("patch.not-found")
@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_not_there_takes_no_bytes(serve: Serve, status: int) -> None:
    tus = await serve(Config(gone_status=404 if status == 404 else 410))

    response = await tus.patch(MISSING, 0, b"hello")

    assert (status, 0) == (response.status, response.reads)
    assert [] == response.all("Upload-Offset")


@pytest.mark.clause("patch.exceeds-length")
@pytest.mark.parametrize("offset", [0, 3, 5])
async def test_announced_bytes_past_the_length_are_refused_unread(tus: Served, offset: int) -> None:
    url = await tus.new(b"hello"[:offset], length=5)
    body = b"x" * (6 - offset)

    response = await tus.patch(url, offset, body)

    assert (413, 0) == (response.status, response.reads)
    assert [] == response.all("Upload-Offset")
    assert offset == (await tus.head(url)).offset


@pytest.mark.clause("patch.exceeds-length")
@pytest.mark.parametrize("body", [[b"lo!"], [b"lo", b"!"], [b"l", b"o", b"", b"!"]])
async def test_chunked_bytes_past_the_length_are_discarded(tus: Served, body: list[bytes]) -> None:
    url = await tus.new(b"hel", length=5)

    response = await tus.patch(url, 3, *body, chunked=True)

    assert 413 == response.status
    assert [] == response.all("Upload-Offset")
    assert 3 == (await tus.head(url)).offset
    assert b"hel" == await tus.stored(url)


@pytest.mark.clause("patch.exceeds-length")
async def test_after_bytes_past_the_length_the_right_ones_are_taken(tus: Served) -> None:
    url = await tus.new(length=5)
    await tus.patch(url, 0, b"XXXXXX", chunked=True)

    assert 204 == (await tus.patch(url, 0, b"hello")).status
    assert b"hello" == (await tus.get(url)).body


@pytest.mark.clause("patch.exceeds-length")
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_deferred_length_ends_at_the_servers_limit(serve: Serve, *, chunked: bool) -> None:
    tus = await serve(Config(max_size=5))
    url = await tus.new(b"hel")

    assert 413 == (await tus.patch(url, 3, b"lo!", chunked=chunked)).status
    assert 3 == (await tus.head(url)).offset
    assert 204 == (await tus.patch(url, 3, b"lo", chunked=chunked)).status


@pytest.mark.clause("patch.empty")
@pytest.mark.parametrize("framing", [[], [("Content-Length", "0")], [CHUNKED]])
@pytest.mark.parametrize("data", [b"", b"abc"])
async def test_no_bytes_at_the_offset_are_a_success(
    tus: Served, framing: list[Header], data: bytes
) -> None:
    url = await tus.new(data, length=5)
    headers = [VERSION, OFFSET_TYPE, ("Upload-Offset", str(len(data))), *framing]

    response = await tus.request("PATCH", url, headers)

    assert (204, len(data)) == (response.status, response.offset)


@pytest.mark.clause("patch.finished")
@pytest.mark.parametrize("framing", [[], [("Content-Length", "0")], [CHUNKED]])
@pytest.mark.parametrize("data", [b"", b"abc"])
async def test_no_bytes_at_the_end_of_a_finished_upload_are_a_success(
    tus: Served, framing: list[Header], data: bytes
) -> None:
    url = await tus.new(data, length=len(data))
    headers = [VERSION, OFFSET_TYPE, ("Upload-Offset", str(len(data))), *framing]

    response = await tus.request("PATCH", url, headers)

    assert (204, len(data)) == (response.status, response.offset)
    assert data == (await tus.get(url)).body


@pytest.mark.clause("patch.finished")
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_finished_upload_takes_no_more_bytes(tus: Served, *, chunked: bool) -> None:
    url = await tus.new(b"abc", length=3)

    assert 413 == (await tus.patch(url, 3, b"d", chunked=chunked)).status
    assert b"abc" == (await tus.get(url)).body


@pytest.mark.clause("creation.length-later", "creation.defer-omitted")
async def test_a_deferred_length_is_declared_later(tus: Served) -> None:
    url = await tus.new()
    await tus.patch(url, 0, b"hello")

    response = await tus.patch(url, 5, b" world", headers=[("Upload-Length", "11")])

    assert (204, 11) == (response.status, response.offset)
    found = await tus.head(url)
    assert ("11", []) == (found.header("Upload-Length"), found.all("Upload-Defer-Length"))
    assert b"hello world" == (await tus.get(url)).body


@pytest.mark.clause("creation.length-later")
async def test_a_deferred_length_can_be_declared_before_the_last_bytes(tus: Served) -> None:
    url = await tus.new()
    await tus.patch(url, 0, b"hel", headers=[("Upload-Length", "5")])

    assert "5" == (await tus.head(url)).header("Upload-Length")
    assert 204 == (await tus.patch(url, 3, b"lo")).status
    assert b"hello" == (await tus.get(url)).body


@pytest.mark.clause("creation.length-later")
@pytest.mark.parametrize("data", [b"", b"hello"])
async def test_declaring_the_length_at_the_offset_finishes(tus: Served, data: bytes) -> None:
    url = await tus.new(data)

    response = await tus.patch(url, len(data), headers=[("Upload-Length", str(len(data)))])

    assert (204, len(data)) == (response.status, response.offset)
    assert data == (await tus.get(url)).body


@pytest.mark.clause("creation.length-once")
@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("length", ["4", "6", "0"])
async def test_a_known_length_never_changes(tus: Served, length: str, *, deferred: bool) -> None:
    url = await tus.new(length=None if deferred else 5)
    if deferred:
        await tus.patch(url, 0, headers=[("Upload-Length", "5")])

    response = await tus.patch(url, 0, b"hell", headers=[("Upload-Length", length)])

    assert (400, 0) == (response.status, response.reads)
    assert "5" == (await tus.head(url)).header("Upload-Length")


@pytest.mark.clause("creation.length-once")
async def test_the_same_length_again_is_no_change(tus: Served) -> None:
    url = await tus.new(length=5)

    assert 204 == (await tus.patch(url, 0, b"hello", headers=[("Upload-Length", "5")])).status


@pytest.mark.clause("core.length-integer")
@pytest.mark.parametrize("length", NOT_INTEGERS)
async def test_a_declared_length_is_an_integer(tus: Served, length: str) -> None:
    url = await tus.new()

    response = await tus.patch(url, 0, b"hello", headers=[("Upload-Length", length)])

    assert (400, 0) == (response.status, response.reads)


async def test_a_declared_length_is_not_below_the_offset(tus: Served) -> None:
    url = await tus.new(b"hello")

    assert 400 == (await tus.patch(url, 5, headers=[("Upload-Length", "4")])).status
    assert "1" == (await tus.head(url)).header("Upload-Defer-Length")


@pytest.mark.clause("creation.max-size")
async def test_a_declared_length_is_within_the_limit(serve: Serve) -> None:
    tus = await serve(Config(max_size=5))
    url = await tus.new()

    assert 413 == (await tus.patch(url, 0, b"hello", headers=[("Upload-Length", "6")])).status
    assert 204 == (await tus.patch(url, 0, b"hello", headers=[("Upload-Length", "5")])).status


@pytest.mark.clause("patch.exceeds-length", "creation.length-later")
async def test_a_body_past_the_length_that_it_declares_declares_nothing(tus: Served) -> None:
    url = await tus.new()
    declared = [("Upload-Length", "5")]

    assert 413 == (await tus.patch(url, 0, b"hello!", headers=declared, chunked=True)).status
    assert "1" == (await tus.head(url)).header("Upload-Defer-Length")


@pytest.mark.clause("patch.keep", "patch.network-errors")
async def test_a_cut_body_is_kept_as_far_as_it_came(tus: Served) -> None:
    url = await tus.new(length=11)

    response = await tus.patch(url, 0, b"hello", DISCONNECT)

    assert response.status is None
    assert 5 == (await tus.head(url)).offset
    assert 204 == (await tus.patch(url, 5, b" world")).status
    assert b"hello world" == (await tus.get(url)).body


@pytest.mark.clause("patch.timeouts", "patch.timeout-closes", "patch.keep")
async def test_a_silent_client_is_given_up_on_and_its_bytes_are_kept(serve: Serve) -> None:
    tus = await serve(Config(idle_timeout=0.05))
    url = await tus.new(length=11)

    response = await tus.patch(url, 0, b"hello", Stall())

    assert (503, "close") == (response.status, response.header("Connection"))
    assert 5 == (await tus.head(url)).offset


@pytest.mark.clause("patch.keep", "patch.network-errors")
async def test_a_client_that_comes_back_is_not_kept_out_by_its_dead_connection(
    tus: Served,
) -> None:
    url, stall = await tus.new(length=11), Stall()
    dead = asyncio.create_task(tus.patch(url, 0, b"hello", stall, b"XXXXXX"))
    await stall.reached.wait()

    response = await tus.head(url)

    assert (200, 5) == (response.status, response.offset)
    left = await dead
    assert (423, "close") == (left.status, left.header("Connection"))
    assert [] == left.all("Upload-Offset")


@pytest.mark.parametrize("concat", ["partial", "final;x", "nonsense"])
async def test_a_stray_upload_concat_is_ignored(tus: Served, concat: str) -> None:
    url = await tus.new(length=5)

    assert 204 == (await tus.patch(url, 0, b"he", headers=[("Upload-Concat", concat)])).status


@pytest.mark.clause("patch.order")
@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (412, [OFFSET_TYPE, ("Upload-Offset", "x"), ("Content-Length", "6")]),
        (415, [VERSION, ("Upload-Offset", "x"), ("Content-Length", "6")]),
        (400, [VERSION, OFFSET_TYPE, ("Upload-Offset", "x"), ("Content-Length", "6")]),
        (409, [VERSION, OFFSET_TYPE, ("Upload-Offset", "1"), ("Content-Length", "6")]),
        (413, [VERSION, OFFSET_TYPE, ("Upload-Offset", "0"), ("Content-Length", "6")]),
    ],
)
async def test_the_first_thing_wrong_is_told_before_anything_is_read(
    tus: Served, status: int, headers: list[Header]
) -> None:
    url = await tus.new(length=5)

    response = await tus.request("PATCH", url, headers, b"hello!")

    assert (status, 0) == (response.status, response.reads)


@pytest.mark.clause("patch.order")
async def test_identity_comes_after_the_version_and_before_the_headers(serve: Serve) -> None:
    async def nobody(_: object) -> None:
        return None

    tus = await serve(auth=nobody)

    assert 412 == (await tus.request("PATCH", MISSING)).status
    assert 401 == (await tus.request("PATCH", MISSING, [VERSION])).status
    assert 404 == (await tus.request("PATCH", "/files/a/b")).status
    assert 405 == (await tus.request("PATCH", "/files/")).status


@pytest.mark.parametrize("size", ["", "-1", "+5", "five", str(2**63)])
async def test_a_content_length_that_is_no_integer_is_refused(tus: Served, size: str) -> None:
    # Servers see to that, but not all of them.
    url = await tus.new(length=5)
    headers = [VERSION, OFFSET_TYPE, ("Upload-Offset", "0"), ("Content-Length", size)]

    response = await tus.request("PATCH", url, headers, b"hello")

    assert (400, 0) == (response.status, response.reads)


async def test_http_2_announces_no_body(tus: Served) -> None:
    # Neither Content-Length nor Transfer-Encoding: the body ends with its stream.
    url = await tus.new(length=5)
    tus.scope["http_version"] = "2"
    headers = [VERSION, OFFSET_TYPE, ("Upload-Offset", "0")]

    response = await tus.request("PATCH", url, headers, b"hel", b"lo")

    assert (204, 5) == (response.status, response.offset)
    assert b"hello" == (await tus.get(url)).body
