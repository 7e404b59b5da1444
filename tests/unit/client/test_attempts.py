"""Which connection an attempt is made on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import cast

import pytest

from tests.support.links import ScriptedLinks
from tests.unit.client.test_retry import BOUNDS
from tusd_py.client.attempts import Attempts
from tusd_py.client.endpoint import Endpoint
from tusd_py.client.errors import GaveUp
from tusd_py.client.http import Connection, ConnectionLost
from tusd_py.client.links import LinkChanged, Links, News
from tusd_py.client.retry import Backoff
from tusd_py.network import Interface

URL = "http://example.com/files/"


@dataclass
class FakeConnection:
    """Only knows whether it was dropped."""

    usable: bool = True
    local: str | None = None

    def abort(self) -> None:
        self.usable = False


@dataclass
class FakeEndpoint:
    """Makes connections, and none where it is told to fail."""

    made: list[FakeConnection] = field(default_factory=list)
    failures: int = 0
    hangs: int = 0
    addresses: Iterator[str | None] = field(default_factory=lambda: repeat(None))
    hanging: asyncio.Event = field(default_factory=asyncio.Event)

    def leads(self, _connection: FakeConnection, url: str) -> bool:
        return url == URL

    async def connect(self, _url: str) -> FakeConnection:
        if self.failures:
            self.failures -= 1
            raise ConnectionLost("Network is unreachable")
        if self.hangs:
            self.hangs -= 1
            self.hanging.set()
            await asyncio.Event().wait()
        self.made.append(FakeConnection(local=next(self.addresses)))
        return self.made[-1]


def attempts(endpoint: FakeEndpoint, links: Links, paused: list[str]) -> Attempts:
    backoff = Backoff(BOUNDS, clock=lambda: 0.0, jitter=lambda: 0.0)
    return Attempts(cast("Endpoint", endpoint), links, backoff, paused.append)


async def nothing(_: Connection) -> None:
    """A request that succeeds."""


async def test_one_connection_carries_all_requests() -> None:
    endpoint = FakeEndpoint()
    async with Links(None) as links:
        tried = attempts(endpoint, links, [])
        for _ in range(3):
            await tried.run(nothing, lambda: URL)

    assert 1 == len(endpoint.made)


async def test_a_link_that_changed_between_requests_is_not_used_again() -> None:
    watcher, endpoint = ScriptedLinks(), FakeEndpoint()
    async with Links(watcher) as links:
        tried = attempts(endpoint, links, [])
        await tried.run(nothing, lambda: URL)
        watcher.change()
        with pytest.raises(LinkChanged):
            await links.until_changed(asyncio.Event().wait())
        await tried.run(nothing, lambda: URL)

    assert [False, True] == [connection.usable for connection in endpoint.made]


async def test_a_lost_connection_is_dropped_and_told() -> None:
    endpoint, paused = FakeEndpoint(), list[str]()
    failures = iter([ConnectionLost("it broke")])

    async def once_lost(_: Connection) -> str:
        for failure in failures:
            raise failure
        return "done"

    async with Links(None) as links:
        told = await attempts(endpoint, links, paused).run(once_lost, lambda: URL)

    assert ("done", ["it broke"]) == (told, paused)
    assert [False, True] == [connection.usable for connection in endpoint.made]


async def test_who_gives_up_says_why_it_failed_last() -> None:
    endpoint, paused = FakeEndpoint(failures=1000), list[str]()
    now = iter(range(1000))
    backoff = Backoff(BOUNDS, clock=lambda: float(next(now)), jitter=lambda: 0.0)
    async with Links(None) as links:
        tried = Attempts(cast("Endpoint", endpoint), links, backoff, paused.append)
        with pytest.raises(GaveUp, match="because Network is unreachable"):
            await tried.run(nothing, lambda: URL)

    assert {"Network is unreachable"} == {*paused}


@dataclass(frozen=True)
class Lost:
    """A way that is gone."""

    local: str
    lost = True
    gained = False

    def __str__(self) -> str:
        return f"{self.local} is gone"

    def concerns(self, local: str) -> bool:
        return local == self.local


@dataclass(frozen=True)
class Gained:
    """A way that is new."""

    lost = False
    gained = True

    def __str__(self) -> str:
        return "eth0 went up"

    def concerns(self, local: str) -> bool:  # noqa: ARG002 - the port's
        return False


class ScriptedMachine:
    """Tells what a test says."""

    interfaces: Mapping[str, Interface] = {}

    def __init__(self) -> None:
        self.happened: asyncio.Queue[News] = asyncio.Queue()

    async def news(self) -> News:
        return await self.happened.get()

    def chunk_size(self, local: str) -> int | None:  # noqa: ARG002 - the port's
        return None


async def heard(links: Links) -> None:
    """Wait until links have heard of what happened last."""
    with pytest.raises(LinkChanged):
        await links.until_changed(asyncio.Event().wait())


async def test_a_change_drops_only_the_connections_that_it_concerns() -> None:
    machine, paused = ScriptedMachine(), list[str]()
    endpoint = FakeEndpoint(addresses=iter(["192.0.2.1", "198.51.100.1", "198.51.100.1"]))
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def request(_: Connection) -> None:
        begun.release()
        await go_on.wait()

    async with Links(machine) as links:
        both = [attempts(endpoint, links, paused) for _ in range(2)]
        running = [asyncio.create_task(each.run(request, lambda: URL)) for each in both]
        await begun.acquire()
        await begun.acquire()
        machine.happened.put_nowait(Lost("192.0.2.1"))
        await begun.acquire()
        go_on.set()
        await asyncio.gather(*running)

    assert ["192.0.2.1 is gone"] == paused
    assert [False, True, True] == [connection.usable for connection in endpoint.made]


async def test_what_happened_between_requests_drops_only_what_it_concerns() -> None:
    machine = ScriptedMachine()
    endpoint = FakeEndpoint(addresses=iter(["192.0.2.1", "198.51.100.1"]))
    async with Links(machine) as links:
        tried = attempts(endpoint, links, [])
        await tried.run(nothing, lambda: URL)
        machine.happened.put_nowait(Lost("198.51.100.9"))
        await heard(links)
        await tried.run(nothing, lambda: URL)
        assert 1 == len(endpoint.made)
        machine.happened.put_nowait(Lost("192.0.2.1"))
        await heard(links)
        await tried.run(nothing, lambda: URL)

    assert [False, True] == [connection.usable for connection in endpoint.made]


@pytest.mark.parametrize("news", [Lost("192.0.2.1"), Gained()])
async def test_a_connection_that_is_coming_about_is_begun_anew(news: News) -> None:
    machine, paused = ScriptedMachine(), list[str]()
    endpoint = FakeEndpoint(hangs=1)
    async with Links(machine) as links:
        running = asyncio.create_task(attempts(endpoint, links, paused).run(nothing, lambda: URL))
        await endpoint.hanging.wait()
        machine.happened.put_nowait(news)
        await running

    assert ([str(news)], 1) == (paused, len(endpoint.made))


async def test_who_waits_tries_at_once_when_there_is_a_way_and_not_when_there_is_one_less() -> None:
    machine, paused, pausing = ScriptedMachine(), list[str](), asyncio.Event()

    def pause(why: str) -> None:
        paused.append(why)
        pausing.set()

    endpoint = FakeEndpoint(failures=1)
    backoff = Backoff(replace(BOUNDS, first=1e6, longest=1e6, patience=1e9, first_contact=1e9),
                      clock=lambda: 0.0, jitter=lambda: 1.0)  # fmt: skip
    async with Links(machine) as links:
        tried = Attempts(cast("Endpoint", endpoint), links, backoff, pause)
        running = asyncio.create_task(tried.run(nothing, lambda: URL))
        await pausing.wait()
        machine.happened.put_nowait(Lost("192.0.2.1"))
        await heard(links)
        machine.happened.put_nowait(Gained())
        await running

    assert ["Network is unreachable", "eth0 went up"] == paused
