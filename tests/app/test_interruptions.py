"""Bodies that end early: what arrived is kept, and whoever comes next gets in."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from tests.spec.served import Backends, Serve, Served, upload_id
from tests.spec.test_checksum import checksum
from tests.support.asgi import DISCONNECT, Response, ScriptedConnection
from tusd_py import Config, TusApp, Upload
from tusd_py.streaming import received
from tusd_py.testing.script import Stall

DATA = b"hello world"


async def started(request: Awaitable[Response], stall: Stall) -> asyncio.Task[Response]:
    """A request that has got as far as its stall."""
    task = asyncio.ensure_future(request)
    await stall.reached.wait()
    assert isinstance(task, asyncio.Task)
    return task


@pytest.mark.parametrize("kept", [0, 1, 5, 10])
async def test_a_cut_connection_gets_no_answer_and_loses_no_byte(tus: Served, kept: int) -> None:
    url = await tus.new(length=11)
    pieces = [bytes([byte]) for byte in DATA[:kept]]

    response = await tus.patch(url, 0, *pieces, DISCONNECT)

    assert (None, kept) == (response.status, response.taken)
    assert kept == (await tus.head(url)).offset
    assert DATA[:kept] == await tus.stored(url)


async def test_all_bytes_before_the_cut_finish_the_upload(serve: Serve) -> None:
    finished: list[str] = []

    def setup(server: TusApp) -> None:
        @server.before_finish
        async def note(upload: Upload) -> None:
            finished.append(upload.id)

    tus = await serve(setup=setup)
    url = await tus.new(length=11)

    await tus.patch(url, 0, DATA, DISCONNECT)

    assert 1 == len(finished)
    assert DATA == (await tus.get(url)).body


async def test_an_idle_client_is_told_to_come_back(serve: Serve) -> None:
    tus = await serve(Config(idle_timeout=0.05))
    url = await tus.new(length=11)

    response = await tus.patch(url, 0, b"hello", Stall(), b" world")

    assert 503 == response.status
    assert "close" == response.header("Connection")
    assert response.header("Retry-After") is not None
    assert [] == response.all("Upload-Offset")
    assert (5, 5) == (response.taken, (await tus.head(url)).offset)


@pytest.mark.parametrize("method", ["HEAD", "PATCH"])
async def test_a_stalled_transfer_is_taken_over(tus: Served, method: str) -> None:
    url, stall = await tus.new(length=11), Stall()
    first = await started(tus.patch(url, 0, b"hello", stall, b"XXXXXX"), stall)

    second = await (tus.head(url) if method == "HEAD" else tus.patch(url, 5, b" world"))

    assert (200, 5) == (second.status, second.offset) or (204, 11) == (
        second.status,
        second.offset,
    )
    left = await first
    assert (423, "close") == (left.status, left.header("Connection"))
    assert 5 == left.taken
    assert (DATA if method == "PATCH" else b"hello") == await tus.stored(url)


async def test_what_the_old_connection_still_sends_changes_nothing(tus: Served) -> None:
    url, late = await tus.new(length=11), asyncio.Event()
    stall = Stall(until=late)
    first = await started(tus.patch(url, 0, b"hello", stall, b"XXXXXX"), stall)
    assert 5 == (await tus.head(url)).offset

    late.set()
    await first

    assert 204 == (await tus.patch(url, 5, b" world")).status
    assert DATA == (await tus.get(url)).body


async def test_a_stale_request_does_not_disturb_a_healthy_transfer(tus: Served) -> None:
    url, going_on = await tus.new(b"hello", length=11), asyncio.Event()
    stall = Stall(until=going_on)
    healthy = await started(tus.patch(url, 5, b" wor", stall, b"ld"), stall)

    stale = await tus.patch(url, 0, b"hello")
    malformed = await tus.patch(url, -1, b"hello")
    going_on.set()

    assert [409, 400] == [stale.status, malformed.status]
    assert (204, 11) == ((await healthy).status, (await healthy).offset)


async def test_two_rivals_both_make_progress(tus: Served) -> None:
    data = bytes(range(64))
    url = await tus.new(length=len(data))

    async def client() -> int:
        appended = 0
        while (offset := (await tus.head(url)).offset) != len(data):
            assert offset is not None
            response = await tus.patch(url, offset, data[offset : offset + 1], Stall())
            appended += response.status in (423, 204)
        return appended

    async with asyncio.timeout(20):
        one, other = await asyncio.gather(client(), client())

    assert min(one, other) > 0
    assert data == (await tus.get(url)).body


async def test_who_is_displaced_before_the_first_byte_has_a_moment_for_it(
    tus: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Or rivals that displace each other at once would never get anywhere.
    monkeypatch.setattr(received, "LAST_CHANCE", 5.0)
    url, coming = await tus.new(length=11), asyncio.Event()
    stall = Stall(until=coming)
    transfer = await started(tus.patch(url, 0, stall, b"hello", Stall()), stall)
    rival = asyncio.create_task(tus.head(url))
    locks: Any = tus.server._locks
    leases = getattr(locks, "_inside", locks)._leases
    while not leases[upload_id(url)].waiters:  # noqa: ASYNC110 - asking has no event of its own
        await asyncio.sleep(0)
    for _ in range(10):
        # Who left at once would be gone by now.
        await asyncio.sleep(0)

    coming.set()

    assert 423 == (await transfer).status
    assert 5 == (await rival).offset


async def test_a_holder_that_does_not_leave_means_423_for_all(serve: Serve) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    def setup(server: TusApp) -> None:
        @server.before_finish
        async def ponder(_: Upload) -> None:
            asked.set()
            await answered.wait()

    tus = await serve(Config(lock_timeout=0.05), setup=setup)
    url = await tus.new(length=11)
    finishing = asyncio.create_task(tus.patch(url, 0, DATA))
    await asked.wait()

    rivals = [await tus.head(url), await tus.patch(url, 11), await tus.delete(url)]
    answered.set()

    assert [423, 423, 423] == [rival.status for rival in rivals]
    assert ["1", "1", "1"] == [rival.header("Retry-After") for rival in rivals]
    assert 204 == (await finishing).status


async def test_a_shutdown_keeps_what_arrived(tus: Served) -> None:
    url, stall, connection = await tus.new(length=11), Stall(), ScriptedConnection()
    transfer = await started(
        tus.patch(url, 0, b"hello", stall, b"XXXXXX", connection=connection), stall
    )

    connection.shut_down()

    response = await transfer
    assert (503, "close") == (response.status, response.header("Connection"))
    assert 5 == (await tus.head(url)).offset


async def test_bytes_that_have_arrived_are_kept_as_well(tus: Served) -> None:
    url, delivered = await tus.new(length=11), asyncio.Event()
    stall, connection = Stall(until=delivered), ScriptedConnection()
    transfer = await started(
        tus.patch(url, 0, b"hello", stall, b" wor", b"XX", connection=connection), stall
    )

    connection.held = 4
    connection.shut_down()
    delivered.set()

    assert 503 == (await transfer).status
    assert b"hello wor" == await tus.stored(url)


async def test_what_has_arrived_may_be_the_rest(tus: Served) -> None:
    url, delivered = await tus.new(length=11), asyncio.Event()
    stall, connection = Stall(until=delivered), ScriptedConnection()
    transfer = await started(
        tus.patch(url, 0, b"hello", stall, b" world", connection=connection), stall
    )

    connection.held = 6
    connection.shut_down()
    delivered.set()

    assert (204, 11) == ((await transfer).status, (await transfer).offset)
    assert DATA == (await tus.get(url)).body


async def test_a_server_that_does_not_deliver_what_it_promised_is_not_waited_for(
    tus: Served,
) -> None:
    url, stall, connection = await tus.new(length=11), Stall(), ScriptedConnection()
    transfer = await started(tus.patch(url, 0, b"hello", stall, connection=connection), stall)

    connection.held = 6
    connection.shut_down()

    assert 503 == (await transfer).status
    assert b"hello" == await tus.stored(url)


@pytest.mark.parametrize("ending", ["cut", "idle", "revoked", "shutdown"])
async def test_a_checksum_leaves_the_offset_whatever_ends_the_body(
    serve: Serve, ending: str
) -> None:
    tus = await serve(Config(idle_timeout=0.05 if ending == "idle" else 60))
    url, stall, connection = await tus.new(b"he", length=11), Stall(), ScriptedConnection()
    last = DISCONNECT if ending == "cut" else stall
    transfer = asyncio.create_task(
        tus.patch(url, 2, DATA[2:6], last, headers=[checksum(DATA[2:])], connection=connection)
    )
    if ending in ("revoked", "shutdown"):
        await stall.reached.wait()
    if ending == "shutdown":
        connection.shut_down()
    if ending == "revoked":
        assert 2 == (await tus.head(url)).offset
    await transfer

    assert 2 == (await tus.head(url)).offset
    assert b"he" == await tus.stored(url)
    assert 204 == (await tus.patch(url, 2, DATA[2:], headers=[checksum(DATA[2:])])).status


async def test_a_request_that_is_cancelled_keeps_what_was_written(tus: Served) -> None:
    # A server gives up on a request that outlives its shutdown.
    url, stall = await tus.new(length=11), Stall()
    transfer = await started(tus.patch(url, 0, b"hello", stall), stall)

    transfer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await transfer

    assert 5 == (await tus.head(url)).offset
    assert 204 == (await tus.patch(url, 5, b" world")).status
    assert DATA == (await tus.get(url)).body


async def test_a_cancelled_request_with_a_checksum_leaves_the_offset(tus: Served) -> None:
    url, stall = await tus.new(b"he", length=11), Stall()
    headers = [checksum(DATA[2:])]
    transfer = await started(tus.patch(url, 2, DATA[2:6], stall, headers=headers), stall)

    transfer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await transfer

    assert 2 == (await tus.head(url)).offset


async def test_a_long_request_commits_on_its_way(backends: Backends) -> None:
    tus = await backends.serve(Config(sync_bytes=4))
    url, stall = await tus.new(length=11), Stall()
    transfer = await started(tus.patch(url, 0, b"hello ", b"wor", stall), stall)

    upload = await tus.server.uploads.get(url.rpartition("/")[2])
    assert 8 == upload.offset

    assert 9 == (await tus.head(url)).offset
    await transfer


async def test_an_upload_whose_bytes_come_in_does_not_expire_meanwhile(serve: Serve) -> None:
    tus = await serve(Config(expire_after=60))
    url = await tus.new(length=11)
    stall = Stall()
    running = await started(tus.patch(url, 0, b"hello", stall), stall)
    tus.clock.advance(61)

    removed = await tus.server.sweep()
    found = await tus.head(url)
    await running

    assert (0, 200, 5) == (removed, found.status, found.offset)
