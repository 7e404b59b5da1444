"""Which connection an attempt is made on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest

from tests.support.links import ScriptedLinks
from tests.unit.client.test_retry import BOUNDS
from tusd_py.client.attempts import Attempts
from tusd_py.client.endpoint import Endpoint
from tusd_py.client.errors import GaveUp
from tusd_py.client.http import Connection, ConnectionLost
from tusd_py.client.links import LinkChanged, Links
from tusd_py.client.retry import Backoff

URL = "http://example.com/files/"


@dataclass
class FakeConnection:
    """Only knows whether it was dropped."""

    usable: bool = True

    def abort(self) -> None:
        self.usable = False


@dataclass
class FakeEndpoint:
    """Makes connections, and none where it is told to fail."""

    made: list[FakeConnection] = field(default_factory=list)
    failures: int = 0

    def leads(self, _connection: FakeConnection, url: str) -> bool:
        return url == URL

    async def connect(self, _url: str) -> FakeConnection:
        if self.failures:
            self.failures -= 1
            raise ConnectionLost("Network is unreachable")
        self.made.append(FakeConnection())
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
