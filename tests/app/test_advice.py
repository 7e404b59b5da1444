"""Clients are told how large their requests had better be, by what they are like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import anyio.lowlevel
import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from tests.app.test_interruptions import started
from tests.spec.served import Backends, Serve, Served
from tests.support.asgi import CHUNKED, DISCONNECT, VERSION, Header, Response, ScriptedConnection
from tests.support.kernel import made_up
from tusd_py import Changes, Config, NewUpload, Request, Streaming, TusApp
from tusd_py.network.clients import ClientProfile
from tusd_py.quantities import GB, KB, MB, days
from tusd_py.testing.script import Stall

LEAST, USUAL, CAREFUL = 256 * KB, 2 * MB, 512 * KB
FAR_AWAY = ScriptedConnection(kernel=made_up(rtt=300_000, rttvar=20_000))
ADDRESS = "192.0.2.1"


def advice(response: Response) -> int | None:
    value = response.header("Upload-Recommended-Chunk-Size")
    return None if value is None else int(value)


async def advised(tus: Served, headers: tuple[Header, ...] = ()) -> int | None:
    """What a client is told about a new file that is large."""
    return advice(await tus.create(length=GB, headers=headers))


async def cut(tus: Served, times: int = 1, headers: tuple[Header, ...] = ()) -> None:
    """Lose the connection in the middle of a body."""
    for _ in range(times):
        url = await tus.new(length=GB, headers=headers)
        assert (await tus.patch(url, 0, b"x", DISCONNECT, headers=headers)).status is None


async def written(tus: Served, count: int = 1) -> list[ClientProfile]:
    """What the store has, once it knows of so many clients."""
    async with asyncio.timeout(10):
        while len(found := await tus.server.uploads.clients()) < count:
            await anyio.lowlevel.checkpoint()
    return [*found]


@pytest.fixture
async def lines() -> AsyncIterator[list[EventDict]]:
    """The lines of the log."""
    structlog.configure()
    with capture_logs() as found:
        yield found
    structlog.reset_defaults()


async def test_all_answers_about_an_unfinished_upload_have_it(tus: Served) -> None:
    creation = await tus.create(length=GB)
    url = creation.location
    answers = [creation, await tus.head(url), await tus.patch(url, 0, b"hello")]

    assert [USUAL] * 3 == [advice(each) for each in answers]


@pytest.mark.parametrize(
    ("length", "sent", "expected"),
    [
        (0, 0, None),
        (LEAST, 0, None),
        (LEAST + 1, 0, LEAST),
        (10 * MB, 0, 500 * KB),
        (400 * KB, 100 * KB, LEAST),
        (400 * KB, 200 * KB, None),
        (400 * KB, 400 * KB, None),
    ],
)
async def test_what_may_as_well_come_at_once_has_none(
    tus: Served, length: int, sent: int, expected: int | None
) -> None:
    url = await tus.new(bytes(sent), length=length)

    assert expected == advice(await tus.head(url))


async def test_an_unknown_length_is_taken_for_a_large_one(tus: Served) -> None:
    response = await tus.create()

    assert USUAL == advice(response)
    assert USUAL == advice(await tus.patch(response.location, 0, b"hello"))


async def test_it_is_never_more_than_the_upload_may_have(serve: Serve) -> None:
    assert advice(await (await serve(Config(max_size=MB))).create()) is None

    def setup(server: TusApp) -> None:
        @server.on_create
        async def limit(_: NewUpload) -> Changes:
            return Changes(max_length=MB)

    assert advice(await (await serve(setup=setup)).create()) is None


async def test_a_final_upload_has_none(tus: Served) -> None:
    parts = [await tus.part(bytes(LEAST), length=LEAST) for _ in range(3)]
    partial = await tus.create(length=GB, headers=[("Upload-Concat", "partial")])

    final = await tus.concatenate(*parts)

    early = await tus.concatenate(partial.location)

    assert (None, USUAL) == (advice(final), advice(partial))
    assert (201, None) == (early.status, advice(early))
    assert [None] * 2 == [advice(await tus.head(each.location)) for each in (final, early)]


async def test_it_can_be_turned_off(serve: Serve) -> None:
    tus = await serve(Config(streaming=Streaming(intelligent_chunking=False)))

    assert await advised(tus) is None


async def test_a_client_that_loses_its_connection_again_and_again_is_told_less(
    tus: Served,
) -> None:
    await cut(tus)
    assert USUAL == await advised(tus)
    await cut(tus)
    assert CAREFUL == await advised(tus)

    url = await tus.new(length=GB)
    for offset in range(3):
        assert CAREFUL == advice(await tus.head(url))
        last = await tus.patch(url, offset, b"x")

    assert USUAL == advice(last)


async def test_a_client_that_is_far_away_is_told_less(tus: Served) -> None:
    url = await tus.new(bytes(LEAST), length=LEAST)

    await tus.request("GET", url, connection=FAR_AWAY)

    assert CAREFUL == await advised(tus)


async def test_behind_a_proxy_the_connection_tells_nothing_of_the_client(
    serve: Serve,
) -> None:
    tus = await serve(Config(trusted_proxies=(f"{ADDRESS}/32",)))
    url = await tus.new(bytes(LEAST), length=LEAST)
    ours, other = (("X-Forwarded-For", f"203.0.113.{number}") for number in (1, 2))

    await tus.request("GET", url, [ours], connection=FAR_AWAY)
    await tus.patch(await tus.new(length=GB), 0, bytes(LEAST), headers=[ours])
    assert USUAL == await advised(tus, (ours,))
    await cut(tus, 2, (ours,))

    assert CAREFUL == await advised(tus, (ours,))
    assert USUAL == await advised(tus, (other,))
    (profile,) = await written(tus)
    assert ("address:203.0.113.1", None, None) == (profile.key, profile.rate, profile.latency)


async def test_subjects_are_told_apart_at_one_address(serve: Serve) -> None:
    async def auth(request: Request) -> str | None:
        return request.headers.get("x-user")

    tus = await serve(auth=auth)
    await cut(tus, 2, (("X-User", "alice"),))

    assert CAREFUL == await advised(tus, (("X-User", "alice"),))
    assert USUAL == await advised(tus, (("X-User", "bob"),))
    assert ["subject:alice"] == [each.key for each in await written(tus)]


async def test_nobody_is_remembered_if_that_is_turned_off(
    serve: Serve, lines: list[EventDict]
) -> None:
    tus = await serve(Config(client_profiles=False))
    url = await tus.new(bytes(LEAST), length=LEAST)
    await cut(tus, 5)
    await tus.request("GET", url, connection=FAR_AWAY)

    assert USUAL == await advised(tus)
    assert [] == [*await tus.server.uploads.clients()]
    assert not any("rtt" in line for line in lines)


async def test_small_uploads_are_not_looked_at(tus: Served) -> None:
    for _ in range(3):
        url = await tus.new(length=LEAST)
        await tus.patch(url, 0, b"x", DISCONNECT)
    await cut(tus)

    (profile,) = await written(tus)
    assert 1 == profile.transfers


async def test_what_others_end_says_nothing_about_the_client(tus: Served) -> None:
    url, stall = await tus.new(length=GB), Stall()
    connection = ScriptedConnection()
    running = await started(tus.patch(url, 0, b"x", stall, connection=connection), stall)
    connection.shut_down()
    assert 503 == (await running).status
    await cut(tus)

    assert USUAL == await advised(tus)


async def test_a_connection_that_a_client_has_left_for_another_ended_badly(tus: Served) -> None:
    url, stall = await tus.new(length=GB), Stall()
    running = await started(tus.patch(url, 0, b"x", stall), stall)
    assert 200 == (await tus.head(url)).status
    assert 423 == (await running).status

    (profile,) = await written(tus)
    assert (1, 0.8) == (profile.transfers, profile.reliability)


async def test_it_is_known_again_after_a_restart(backends: Backends) -> None:
    tus = await backends.serve()
    await cut(tus, 2)
    await backends.stop()

    tus = await backends.serve()
    first = await advised(tus)
    async with asyncio.timeout(10):
        while CAREFUL != await advised(tus):
            await anyio.lowlevel.checkpoint()

    # The first request did not wait for it.
    assert USUAL == first


async def test_what_was_forgotten_is_not_known(tus: Served) -> None:
    await cut(tus, 2)
    await written(tus)

    assert await tus.server.uploads.forget_client(address=ADDRESS)
    assert not await tus.server.uploads.forget_client(subject=ADDRESS)

    assert USUAL == await advised(tus)
    assert await tus.server.uploads.client(address=ADDRESS) is None


@pytest.mark.parametrize("config", [Config(), Config(client_profiles=False)], ids=["on", "off"])
async def test_a_sweep_forgets_who_did_not_come_back_for_a_day(
    backends: Backends, config: Config
) -> None:
    tus = await backends.serve(Config(expire_after=None))
    await cut(tus)
    await written(tus)
    await backends.stop()
    tus = await backends.serve(config)

    tus.clock.advance(days(1))
    await tus.server.sweep()
    assert 1 == len(await tus.server.uploads.clients())
    tus.clock.advance(1)
    await tus.server.sweep()

    assert [] == [*await tus.server.uploads.clients()]


async def test_the_application_hears_of_it(serve: Serve) -> None:
    told: list[int | None] = []

    def setup(server: TusApp) -> None:
        @server.on_create
        async def note(new: NewUpload) -> None:
            told.append(new.chunk_size)

    tus = await serve(setup=setup)
    await cut(tus, 2)
    await tus.create(length=5)
    parts = [await tus.part(b"a"), await tus.part(b"b")]
    await tus.concatenate(*parts)

    assert [USUAL, USUAL, None, None, None, None] == told


async def test_the_log_tells_what_was_measured(tus: Served, lines: list[EventDict]) -> None:
    kernel = made_up(rtt=40_000, rttvar=5_000, bytes_sent=10**6, bytes_retrans=10**4)
    url = await tus.new(bytes(LEAST), length=LEAST)
    await tus.request("GET", url, connection=ScriptedConnection(kernel=kernel))
    await tus.head(url)

    *_, download, inspection = [line for line in lines if line["event"] == "request"]
    assert (0.04, 0.005) == (download["rtt"], download["jitter"])
    assert "rtt" not in inspection


async def test_a_long_transfer_is_looked_at_while_it_runs(serve: Serve) -> None:
    tus = await serve(Config(sync_bytes=MB))
    url, until = await tus.new(length=GB), asyncio.Event()
    stall = Stall(until)
    running = await started(tus.patch(url, 0, bytes(2 * MB), stall), stall)

    (profile,) = await written(tus)
    until.set()

    assert 0 == profile.transfers
    assert profile.rate is not None
    assert 204 == (await running).status


@pytest.mark.parametrize(("microseconds", "told"), [(1, 1e-6), (3_000_000, None)])
async def test_a_way_that_takes_longer_than_the_body_was_only_idle(
    tus: Served, lines: list[EventDict], microseconds: int, told: float | None
) -> None:
    connection = ScriptedConnection(kernel=made_up(rcv_rtt=microseconds))

    response = await tus.patch(await tus.new(length=GB), 0, bytes(LEAST), connection=connection)

    assert 204 == response.status
    (line,) = [line for line in lines if line.get("method") == "PATCH"]
    assert told == line.get("rtt")


async def test_a_silent_kernel_leaves_figures_out(tus: Served, lines: list[EventDict]) -> None:
    url = await tus.new(length=GB)
    response = await tus.patch(url, 0, bytes(LEAST), connection=ScriptedConnection())

    assert 204 == response.status
    (line,) = [line for line in lines if line.get("method") == "PATCH"]
    assert "rtt" not in line
    assert 0 < line["rate"]


async def test_what_has_arrived_before_tells_no_speed(tus: Served, lines: list[EventDict]) -> None:
    url = await tus.new(length=GB)
    headers = [VERSION, CHUNKED, ("Upload-Offset", "0")]
    headers.append(("Content-Type", "application/offset+octet-stream"))
    waiting = ScriptedConnection(held=MB)

    response = await tus.request("PATCH", url, headers, bytes(MB), connection=waiting)

    assert 204 == response.status
    (line,) = [line for line in lines if line.get("method") == "PATCH"]
    assert "rate" not in line
