"""What an application tells when its own connections move to another link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from tests.support.asgi import Client
from tests.support.clock import Clock
from tests.support.hooks import Answer, HookServer, hook_server
from tests.support.metrics import parsed
from tusd_py import Config, FileStorage, HttpHooks, Network, SQLiteMetadata, TusApp
from tusd_py.network import Switch
from tusd_py.network.book import Noted, read_book
from tusd_py.network.health import Reason
from tusd_py.uploads.engine import Engine
from tusd_py.uploads.switches import _switched, hear

NOW = 1_800_000_000.0
WHY = "eth0 has no link or no address any more"
LOST = Switch(7.0, "eth0", "wlan0", Reason.LOST, WHY)


@asynccontextmanager
async def running(
    folder: Path,
    url: str,
    *,
    now: float = NOW,
    **network: Any,  # noqa: ANN401 - attributes of Network
) -> AsyncIterator[tuple[TusApp, Engine]]:
    hooks = HttpHooks(url=url, enabled_events=("network.switched",))
    tus = TusApp(
        storage=FileStorage(folder),
        metadata=SQLiteMetadata(folder / "tus.db"),
        config=Config(hooks=hooks, network=Network(**network)),
        clock=Clock(now),
        switches=folder / "network.json",
    )
    async with tus.running():
        yield tus, await tus._runtime.started()


async def written(folder: Path) -> tuple[Noted, ...]:
    """Wait until a switch is written down, and give all."""
    async with asyncio.timeout(10):
        while True:
            book = await asyncio.to_thread(read_book, folder / "network.json")
            if book is not None and book.switches:
                return book.switches
            await asyncio.sleep(0.01)


@pytest.fixture
def hooks() -> Iterator[HookServer]:
    with hook_server() as server:
        yield server


async def test_a_switch_is_told_counted_and_written_down(tmp_path: Path, hooks: HookServer) -> None:
    async with running(tmp_path, hooks.url) as (tus, engine):
        hear(engine, LOST)
        await asyncio.to_thread(hooks.wait_for_types, "network.switched")
        noted = await written(tmp_path)
        page = await Client(Starlette(routes=tus.metrics_routes())).get("/metrics")

    (told,) = hooks.heard
    assert {
        "Before": "eth0",
        "After": "wlan0",
        "Reason": "lost",
        "Detail": WHY,
        "At": NOW,
    } == told.document["Event"]["Network"]
    assert ("", 0) == (told.upload["ID"], told.upload["Size"])
    assert (Noted(NOW, "eth0", "wlan0", "lost", WHY),) == noted
    assert 1 == parsed(page.body.decode()).get("interface_switches_total", reason="lost")


async def test_what_was_not_heard_is_told_after_a_restart(
    tmp_path: Path, hooks: HookServer
) -> None:
    hooks.say = lambda _: Answer(status=500)
    async with running(tmp_path, hooks.url) as (_, engine):
        hear(engine, LOST)
        await asyncio.to_thread(hooks.wait_for_types, "network.switched")
        (event,) = await engine.metadata.events(10)
        assert "" == event.upload_id
    hooks.say = lambda _: Answer()
    async with running(tmp_path, hooks.url, now=NOW + 3600):
        await asyncio.to_thread(hooks.wait_for, lambda: len(hooks.heard) > 1)

    assert 1 == len({heard.id for heard in hooks.heard})


async def test_of_several_processes_one_tells(tmp_path: Path, hooks: HookServer) -> None:
    hooks.say = lambda _: Answer(status=500)
    async with (
        running(tmp_path, hooks.url) as (_, first),
        running(tmp_path, hooks.url) as (_, second),
    ):
        for engine in (second, first):
            await _switched(engine, LOST)
        assert 1 == len(await first.metadata.events(10))
        assert 1 == len(await written(tmp_path))


async def test_where_nobody_wants_to_hear_of_it_it_is_only_written_down(
    tmp_path: Path, hooks: HookServer
) -> None:
    async with running(tmp_path, hooks.url, switch_notification_enabled=False) as (_, engine):
        hear(engine, LOST)
        assert 1 == len(await written(tmp_path))
        assert [] == list(await engine.metadata.events(10))

    assert [] == hooks.heard


async def test_the_link_in_use_is_written_down_at_the_start(tmp_path: Path) -> None:
    async with running(tmp_path, "http://127.0.0.1:9/") as (_, engine):
        book = await asyncio.to_thread(read_book, tmp_path / "network.json")
        assert engine.links is not None
        active = engine.links.active

    assert book is not None
    assert (active.name if active is not None else None, NOW) == (book.active, book.since)
