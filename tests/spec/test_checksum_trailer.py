"""Upload-Checksum after the body, where the server hands trailers over."""

import pytest

from tests.support.asgi import Header, ScriptedConnection

from .served import Served
from .test_checksum import DATA, checksum

TRAILER: Header = ("Trailer", "Upload-Checksum")


def sending(*trailers: Header) -> ScriptedConnection:
    return ScriptedConnection([(name.lower().encode(), value.encode()) for name, value in trailers])


@pytest.mark.clause("checksum-trailer.advertised")
async def test_it_is_advertised_where_trailers_come_through(tus: Served) -> None:
    response = await tus.request("OPTIONS", tus.base, connection=sending())

    assert "checksum-trailer" in (response.header("Tus-Extension") or "").split(",")


@pytest.mark.clause("checksum-trailer.advertised")
async def test_it_is_not_advertised_elsewhere(tus: Served) -> None:
    assert "checksum-trailer" not in ((await tus.options()).header("Tus-Extension") or "")


@pytest.mark.clause("checksum-trailer.used", "checksum.match")
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512", "md5", "crc32c"])
async def test_a_body_with_this_checksum_is_taken(tus: Served, algorithm: str) -> None:
    url, connection = await tus.new(length=11), sending(checksum(DATA, algorithm))

    response = await tus.patch(
        url, 0, DATA[:4], DATA[4:], headers=[TRAILER], chunked=True, connection=connection
    )

    assert (204, 11) == (response.status, response.offset)
    assert DATA == (await tus.get(url)).body


@pytest.mark.clause("checksum-trailer.used", "checksum.mismatch", "checksum.discarded")
@pytest.mark.parametrize(
    ("status", "trailers"),
    [
        (460, [checksum(b"other")]),
        (400, [("Upload-Checksum", "crc32 YQ==")]),
        (400, [("Upload-Checksum", "sha1")]),
        (400, [("X-Other", "value")]),
        (400, []),
    ],
)
async def test_a_body_without_this_checksum_is_discarded(
    tus: Served, status: int, trailers: list[Header]
) -> None:
    url, connection = await tus.new(b"he", length=11), sending(*trailers)

    response = await tus.patch(
        url, 2, DATA[2:], headers=[TRAILER], chunked=True, connection=connection
    )

    assert status == response.status
    assert 2 == (await tus.head(url)).offset
    assert b"he" == await tus.stored(url)


@pytest.mark.clause("checksum.discarded")
@pytest.mark.parametrize(
    "trailer", [checksum(b"other"), ("Upload-Checksum", "crc32 YQ=="), ("X-Other", "value")]
)
async def test_first_bytes_that_are_refused_leave_no_upload(tus: Served, trailer: Header) -> None:
    response = await tus.create(
        DATA, length=11, headers=[TRAILER], chunked=True, connection=sending(trailer)
    )

    assert response.status in (400, 460)
    assert [] == response.all("Location")
    assert [] == [*await tus.server.uploads.list()]


async def test_a_header_counts_more_than_a_trailer(tus: Served) -> None:
    url, connection = await tus.new(length=11), sending(checksum(b"other"))
    headers = [TRAILER, checksum(DATA)]

    response = await tus.patch(url, 0, DATA, headers=headers, chunked=True, connection=connection)

    assert 204 == response.status


@pytest.mark.parametrize("announcement", ["X-Other, upload-checksum", " UPLOAD-CHECKSUM ,a"])
async def test_it_may_be_announced_among_others(tus: Served, announcement: str) -> None:
    url, connection = await tus.new(length=11), sending(checksum(b"other"))
    headers = [("Trailer", announcement)]

    response = await tus.patch(url, 0, DATA, headers=headers, chunked=True, connection=connection)

    assert 460 == response.status


@pytest.mark.clause("checksum.verified")
async def test_what_cannot_be_verified_is_not_acknowledged(tus: Served) -> None:
    # This server drops trailers, so that the announced one does not come.
    url = await tus.new(length=11)

    response = await tus.patch(url, 0, DATA, headers=[TRAILER], chunked=True)

    assert 400 == response.status
    assert 0 == (await tus.head(url)).offset
