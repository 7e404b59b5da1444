"""Upload-Expires: unfinished uploads go some day."""

from email.utils import parsedate_to_datetime

import pytest

from tests.support.asgi import Response
from tusd_py import Config

from .served import Serve, Served

HOUR = 3600.0


@pytest.fixture
async def hourly(serve: Serve) -> Served:
    """A server whose uploads expire after an hour."""
    return await serve(Config(expire_after=HOUR))


def expires(response: Response) -> float | None:
    value = response.header("Upload-Expires")
    return None if value is None else parsedate_to_datetime(value).timestamp()


@pytest.mark.clause("expiration.advertised")
async def test_it_is_advertised(hourly: Served) -> None:
    assert "expiration" in ((await hourly.options()).header("Tus-Extension") or "").split(",")


@pytest.mark.clause("expiration.format")
async def test_the_time_is_a_date_of_http(serve: Serve) -> None:
    tus = await serve(Config(expire_after=HOUR))
    tus.clock.now = 1403712000.7 - HOUR

    response = await tus.create(length=5)

    assert "Wed, 25 Jun 2014 16:00:00 GMT" == response.header("Upload-Expires")


@pytest.mark.clause("expiration.expires-created")
async def test_a_creation_tells_when(hourly: Served) -> None:
    for response in (await hourly.create(length=5), await hourly.create(b"he", length=5)):
        assert hourly.clock.now + HOUR == expires(response)


@pytest.mark.clause("expiration.expires", "expiration.changes")
async def test_an_append_tells_when_and_puts_it_off(hourly: Served) -> None:
    url = await hourly.new(length=5)
    for offset in range(3):
        hourly.clock.advance(HOUR - 1)
        response = await hourly.patch(url, offset, b"x")

        assert hourly.clock.now + HOUR == expires(response)
        assert hourly.clock.now + HOUR == expires(await hourly.head(url))


@pytest.mark.clause("expiration.expires")
async def test_an_append_of_nothing_does_so_too(hourly: Served) -> None:
    url = await hourly.new(length=5)
    hourly.clock.advance(1)

    assert hourly.clock.now + HOUR == expires(await hourly.patch(url, 0))


async def test_looking_does_not_put_it_off(hourly: Served) -> None:
    url = await hourly.new(length=5)
    end = hourly.clock.now + HOUR
    hourly.clock.advance(1)

    assert end == expires(await hourly.head(url))


@pytest.mark.clause("expiration.expires")
async def test_a_finished_upload_does_not_expire(hourly: Served) -> None:
    created = await hourly.create(b"hello", length=5)
    appended = await hourly.patch(created.location, 5)
    hourly.clock.advance(100 * HOUR)

    assert 0 == await hourly.server.sweep()
    found = await hourly.head(created.location)
    assert (200, 5) == (found.status, found.offset)
    assert [None] * 3 == [expires(created), expires(appended), expires(found)]


@pytest.mark.clause("expiration.gone", "expiration.removes")
@pytest.mark.parametrize("swept", [False, True])
async def test_what_has_expired_is_gone_before_it_is_removed_and_after(
    hourly: Served, *, swept: bool
) -> None:
    url = await hourly.new(b"he", length=5)
    hourly.clock.advance(HOUR)
    if swept:
        assert 1 == await hourly.server.sweep()

    for gone in (
        await hourly.head(url),
        await hourly.patch(url, 2, b"llo"),
        await hourly.get(url),
        await hourly.delete(url),
    ):
        assert 404 == gone.status
        assert [] == gone.all("Upload-Offset")


@pytest.mark.clause("expiration.gone-tracked")
async def test_what_has_expired_can_be_410(serve: Serve) -> None:
    tus = await serve(Config(expire_after=HOUR, gone_status=410))
    url = await tus.new(length=5)
    tus.clock.advance(HOUR)

    assert 410 == (await tus.head(url)).status
    assert 410 == (await tus.patch(url, 0, b"hello")).status


@pytest.mark.clause("expiration.removes")
async def test_it_lives_until_then(hourly: Served) -> None:
    url = await hourly.new(length=5)
    hourly.clock.advance(HOUR - 0.001)

    assert 0 == await hourly.server.sweep()
    assert 200 == (await hourly.head(url)).status


@pytest.mark.clause("expiration.advertised", "expiration.expires")
async def test_without_a_time_nothing_expires(serve: Serve) -> None:
    tus = await serve(Config(expire_after=None))
    created = await tus.create(length=5)
    appended = await tus.patch(created.location, 0, b"he")
    tus.clock.advance(1e9)

    assert [] == [*created.all("Upload-Expires"), *appended.all("Upload-Expires")]
    assert 0 == await tus.server.sweep()
    assert 200 == (await tus.head(created.location)).status
    assert "expiration" not in ((await tus.options()).header("Tus-Extension") or "")


@pytest.mark.clause("expiration.removes", "concatenation.parts-removed")
async def test_parts_expire_also_finished_and_their_final_stays(hourly: Served) -> None:
    part = await hourly.part(b"part")
    final = (await hourly.concatenate(part)).location
    assert expires(await hourly.head(part)) is not None
    hourly.clock.advance(HOUR)

    assert 1 == await hourly.server.sweep()
    assert 404 == (await hourly.head(part)).status
    assert b"part" == (await hourly.get(final)).body


@pytest.mark.clause("expiration.expires-created", "expiration.removes")
async def test_a_final_that_never_gets_its_parts_expires(hourly: Served) -> None:
    response = await hourly.concatenate(await hourly.part(b"", length=5))
    assert hourly.clock.now + HOUR == expires(response)
    hourly.clock.advance(HOUR)

    assert 404 == (await hourly.head(response.location)).status
    assert 2 == await hourly.server.sweep()
