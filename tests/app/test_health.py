"""Whether the process lives, and whether it can take uploads."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from tests.support.asgi import Client
from tusd_py import (
    Config,
    FileStorage,
    MemoryMetadata,
    MemoryStorage,
    SQLiteMetadata,
    TusApp,
    Upload,
)
from tusd_py.uploads import readiness

pytestmark = pytest.mark.anyio

GOOD = {"draining": "ok", "disk": "ok", "database": "ok", "room": "ok"}


class Endless:
    """A check that gets no answer, until it is told."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer = asyncio.Event()

    async def __call__(self) -> None:
        self.asked += 1
        await self.answer.wait()


@asynccontextmanager
async def serving(tus: TusApp) -> AsyncIterator[Client]:
    app = Starlette(routes=[*tus.routes("/files"), *tus.health_routes()])
    async with tus.running():
        yield Client(app)


def on_disk(folder: Path, **config: Any) -> TusApp:  # noqa: ANN401 - any setting
    return TusApp(
        storage=FileStorage(folder),
        metadata=SQLiteMetadata(folder / "tus.db"),
        config=Config(durability="process", **config),
    )


async def ready(client: Client) -> tuple[int | None, Any]:
    response = await client.get("/readyz")
    assert "application/json" == response.header("content-type")
    assert "no-store" == response.header("cache-control")
    return response.status, json.loads(response.body)


async def test_a_server_that_can_take_uploads_is_ready(tmp_path: Path) -> None:
    async with serving(on_disk(tmp_path)) as client:
        told = {"status": "ready", "failing": [], "checks": GOOD}
        assert (200, told) == await ready(client)
        live = await client.get("/healthz")

    assert (200, {"status": "ok"}) == (live.status, json.loads(live.body))
    assert [] == [file for file in (tmp_path / "processes").iterdir() if file.is_file()]


async def test_asking_starts_what_has_no_lifespan() -> None:
    tus = TusApp(storage=MemoryStorage(), metadata=MemoryMetadata())
    assert 200 == (await ready(Client(tus.alone("/files"))))[0]
    await tus._runtime.close()


async def test_a_disk_that_is_gone_is_named(tmp_path: Path) -> None:
    async with serving(on_disk(tmp_path)) as client:
        (tmp_path / "processes").rename(tmp_path / "elsewhere")
        status, told = await ready(client)
        live = await client.get("/healthz")
        (tmp_path / "elsewhere").rename(tmp_path / "processes")
        assert 200 == (await ready(client))[0]

    assert (503, "not ready", ["disk"]) == (status, told["status"], told["failing"])
    assert "The disk cannot be written." == told["checks"]["disk"]
    assert str(tmp_path) not in json.dumps(told)
    assert 200 == live.status


async def test_a_database_that_is_held_by_another_is_named(tmp_path: Path) -> None:
    async with serving(on_disk(tmp_path)) as client:
        with closing(sqlite3.connect(tmp_path / "tus.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            status, told = await ready(client)
            other.execute("ROLLBACK")

    assert (503, ["database"]) == (status, told["failing"])
    assert "There is no answer within 2 seconds." == told["checks"]["database"]


async def test_a_database_that_was_taken_away_is_named(tmp_path: Path) -> None:
    async with serving(on_disk(tmp_path)) as client:
        (tmp_path / "tus.db").rename(tmp_path / "elsewhere.db")
        status, told = await ready(client)
        (tmp_path / "elsewhere.db").rename(tmp_path / "tus.db")

    assert (503, ["database"]) == (status, told["failing"])


@pytest.mark.parametrize(("least", "status"), [(None, 200), (1, 200), (2**62, 503)])
async def test_there_has_to_be_room(tmp_path: Path, least: int | None, status: int) -> None:
    async with serving(on_disk(tmp_path, min_free=least)) as client:
        found, told = await ready(client)

    assert status == found
    assert (["room"] if status == 503 else []) == told["failing"]


async def test_who_drains_is_not_ready(tmp_path: Path) -> None:
    tus = on_disk(tmp_path)
    async with serving(tus) as client:
        tus.drain()
        status, told = await ready(client)
        url = await client.new(b"hello", length=5)

    assert (503, ["draining"]) == (status, told["failing"])
    assert url


async def test_all_that_fails_is_named_together(tmp_path: Path) -> None:
    tus = on_disk(tmp_path, min_free=2**62)
    async with serving(tus) as client:
        tus.drain()
        (tmp_path / "processes").rename(tmp_path / "elsewhere")
        _, told = await ready(client)
        (tmp_path / "elsewhere").rename(tmp_path / "processes")

    assert ["draining", "disk", "room"] == told["failing"]


@pytest.mark.parametrize(("most", "status"), [(None, 200), (2, 200), (1, 503)])
async def test_too_many_events_that_wait_are_named(
    tmp_path: Path, most: int | None, status: int
) -> None:
    tus = on_disk(tmp_path, max_outbox=most)

    @tus.on_finish
    async def busy(_: Upload, __: str) -> None:
        await asyncio.Event().wait()

    async with serving(tus) as client:
        for _ in range(2):
            await client.new(b"hello", length=5)
        found, told = await ready(client)

    assert status == found
    assert (["outbox"] if status == 503 else []) == told["failing"]
    assert "outbox" in told["checks"]


async def test_a_check_that_hangs_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_PATIENCE", 0.05)
    tus, endless = on_disk(tmp_path), Endless()
    async with serving(tus) as client:
        engine = await tus._runtime.started()
        engine.checks["outbox"] = endless
        answers = await asyncio.gather(*(ready(client) for _ in range(3)))
        monkeypatch.undo()
        endless.answer.set()
        after = await ready(client)

    assert {503} == {status for status, _ in answers}
    # The others may have been too slow for so little patience.
    assert all("outbox" in told["failing"] for _, told in answers)
    assert 200 == after[0]
    assert 1 == endless.asked


async def test_a_check_that_fails_itself_is_no_500(tmp_path: Path) -> None:
    async def broken() -> str | None:
        raise ZeroDivisionError("secret")

    tus = on_disk(tmp_path)
    async with serving(tus) as client:
        (await tus._runtime.started()).checks["outbox"] = broken
        status, told = await ready(client)

    assert (503, "The check itself failed.") == (status, told["checks"]["outbox"])


async def test_a_server_that_cannot_start_is_not_ready_but_lives(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_text("in the way")
    client = Client(Starlette(routes=on_disk(tmp_path).health_routes("/ops/")))
    response = await client.get("/ops/readyz")
    live = await client.get("/ops/healthz")

    assert (503, ["start"]) == (response.status, json.loads(response.body)["failing"])
    assert 200 == live.status


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_head_has_no_body_and_other_methods_are_refused(tmp_path: Path, path: str) -> None:
    async with serving(on_disk(tmp_path)) as client:
        head = await client.request("HEAD", path)
        post = await client.request("POST", path)

    assert (200, b"") == (head.status, head.body)
    assert (405, "GET, HEAD") == (post.status, post.header("allow"))
