"""Limits on how many uploads run at once, and on how slow they may be."""

import asyncio
import json

import anyio.lowlevel
import pytest

from tests.app.test_interruptions import started
from tests.spec.served import Serve, Served
from tusd_py import Config
from tusd_py.testing.script import Stall


async def test_above_the_limit_new_uploads_are_refused_and_head_is_not(serve: Serve) -> None:
    tus = await serve(Config(max_uploads=1))
    url, stall = await tus.new(length=11), Stall(asyncio.Event())
    running = await started(tus.patch(url, 0, b"hello", stall, b" world"), stall)

    refused = [await tus.create(length=5), await tus.create(b"hello", length=5)]
    other = await tus.request("HEAD", "/files/unknown", [("Tus-Resumable", "1.0.0")])
    release(stall)

    assert [503, 503] == [response.status for response in refused]
    assert {"too-many-uploads"} == {json.loads(response.body)["code"] for response in refused}
    assert all(response.header("Retry-After") for response in refused)
    assert [0, 0] == [response.taken for response in refused]
    assert 404 == other.status
    assert 204 == (await running).status
    assert 201 == (await tus.create(length=5)).status


async def test_above_the_limit_what_goes_on_waits_for_its_turn(serve: Serve) -> None:
    tus = await serve(Config(max_uploads=1))
    stall, urls = Stall(asyncio.Event()), [await tus.new(length=5) for _ in range(2)]
    first = await started(tus.patch(urls[0], 0, b"he", stall, b"llo"), stall)

    second = asyncio.ensure_future(tus.patch(urls[1], 0, b"world"))
    await waiting(tus, 1)
    release(stall)

    assert [204, 204] == [(await first).status, (await second).status]
    assert b"world" == await tus.stored(urls[1])


async def test_a_turn_that_does_not_come_is_answered_with_503_and_costs_nothing(
    serve: Serve,
) -> None:
    tus = await serve(Config(max_uploads=1, lock_timeout=0.05))
    stall, urls = Stall(asyncio.Event()), [await tus.new(length=5) for _ in range(2)]
    first = await started(tus.patch(urls[0], 0, b"he", stall, b"llo"), stall)

    refused = await tus.patch(urls[1], 0, b"world")
    release(stall)

    assert (503, 0) == (refused.status, refused.taken)
    assert refused.header("Retry-After")
    assert 204 == (await first).status
    assert 204 == (await tus.patch(urls[1], 0, b"world")).status


async def test_who_takes_an_upload_over_needs_no_second_place(serve: Serve) -> None:
    tus = await serve(Config(max_uploads=1))
    url, stall = await tus.new(length=5), Stall()
    dead = await started(tus.patch(url, 0, b"he", stall), stall)

    response = await tus.patch(url, 2, b"llo")

    assert (423, 204) == ((await dead).status, response.status)


@pytest.mark.parametrize("method", ["HEAD", "DELETE"])
async def test_who_waits_for_a_turn_can_be_displaced(serve: Serve, method: str) -> None:
    tus = await serve(Config(max_uploads=1))
    stall, urls = Stall(asyncio.Event()), [await tus.new(length=5) for _ in range(2)]
    first = await started(tus.patch(urls[0], 0, b"he", stall, b"llo"), stall)
    second = asyncio.ensure_future(tus.patch(urls[1], 0, b"wor", Stall()))
    await waiting(tus, 1)

    response = await tus.request(method, urls[1], [("Tus-Resumable", "1.0.0")])
    release(stall)

    assert response.status in (200, 204)
    assert [204, 423] == [(await first).status, (await second).status]


async def test_clients_have_limits_of_their_own(serve: Serve) -> None:
    tus = await serve(Config(max_uploads_per_client=1))
    stall, url = Stall(asyncio.Event()), await tus.new(length=5)
    running = await started(tus.patch(url, 0, b"he", stall, b"llo"), stall)

    same = await tus.create(b"hello", length=5)
    tus.scope["client"] = ("192.0.2.2", 50_000)
    other = await tus.create(b"hello", length=5)
    release(stall)

    assert (503, 201, 204) == (same.status, other.status, (await running).status)


async def test_who_is_slower_than_the_least_rate_is_told_to_come_back(serve: Serve) -> None:
    tus = await serve(Config(min_rate=1_000_000, idle_timeout=0.05))
    url = await tus.new(length=1_000_000)
    stalls = [Stall(asyncio.Event()) for _ in range(100)]
    trickle = asyncio.ensure_future(release_each(stalls, seconds=0.01))

    response = await tus.patch(url, 0, *[event for stall in stalls for event in (stall, b"x")])
    trickle.cancel()

    assert 503 == response.status
    assert response.taken < 100
    assert response.taken == (await tus.head(url)).offset


async def release_each(stalls: list[Stall], *, seconds: float) -> None:
    for stall in stalls:
        await stall.reached.wait()
        await asyncio.sleep(seconds)
        release(stall)


def release(stall: Stall) -> None:
    assert stall.until is not None
    stall.until.set()


async def waiting(tus: Served, count: int) -> None:
    """Wait until so many transfers wait for their turn."""
    engine = tus.server._runtime.engine
    assert engine is not None
    while count != len(engine.admission._waiting):
        await anyio.lowlevel.checkpoint()
