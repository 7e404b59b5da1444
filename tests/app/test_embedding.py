"""In other applications, with their lifespan or without any."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.spec.served import Backends
from tests.support.asgi import HOST, App, Client, Message
from tusd_py import Config, FileStorage, MemoryMetadata, MemoryStorage, SQLiteMetadata, TusApp
from tusd_py.locks.memory import MemoryLocks

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def server(backends: Backends) -> TusApp:
    """An application that nobody has started."""
    return TusApp(storage=backends.storage(), metadata=backends.metadata())


def starlette_routes(server: TusApp) -> Starlette:
    return Starlette(routes=server.routes("/files"), lifespan=server.lifespan)


def starlette_mount(server: TusApp) -> Starlette:
    return Starlette(routes=[Mount("/files", server)], lifespan=server.lifespan)


def nested_routes(server: TusApp) -> Starlette:
    inner = Mount("/api", routes=[Mount("/v1", routes=server.routes("/files/"))])
    return Starlette(routes=[inner], lifespan=server.lifespan)


def nested_app(server: TusApp) -> Starlette:
    return Starlette(routes=[Mount("/api", nested_routes(server))], lifespan=server.lifespan)


def fastapi_routes(server: TusApp) -> FastAPI:
    app = FastAPI(lifespan=server.lifespan)
    app.router.routes.extend(server.routes("/files"))
    return app


def fastapi_mount(server: TusApp) -> FastAPI:
    app = FastAPI(lifespan=server.lifespan)
    app.mount("/files", server)
    return app


def at_the_root(server: TusApp) -> Starlette:
    return Starlette(routes=server.routes("/"), lifespan=server.lifespan)


EMBEDDINGS = [
    (starlette_routes, "/files/"),
    (starlette_mount, "/files/"),
    (nested_routes, "/api/v1/files/"),
    (nested_app, "/api/api/v1/files/"),
    (fastapi_routes, "/files/"),
    (fastapi_mount, "/files/"),
    (at_the_root, "/"),
]


async def upload(client: Client) -> str:
    """Upload something in three requests, and look at it."""
    url = await client.new(b"he", length=11)
    assert 2 == (await client.head(url)).offset
    assert 204 == (await client.patch(url, 2, b"llo world")).status
    assert b"hello world" == (await client.get(url)).body
    assert 204 == (await client.delete(url)).status
    return url


@pytest.mark.parametrize(("embed", "base"), EMBEDDINGS)
async def test_it_works_inside_with_the_parents_lifespan(
    server: TusApp, embed: Callable[[TusApp], Starlette], base: str
) -> None:
    app = embed(server)

    async with app.router.lifespan_context(app):
        url = await upload(Client(app, base=base))

    assert url.startswith(f"http://{HOST}{base}")


@pytest.mark.parametrize(("embed", "base"), EMBEDDINGS)
async def test_it_works_inside_without_any(
    server: TusApp, embed: Callable[[TusApp], Starlette], base: str
) -> None:
    url = await upload(Client(embed(server), base=base))
    await server._runtime.close()

    assert url.startswith(f"http://{HOST}{base}")


@pytest.mark.parametrize("embed", [starlette_routes, nested_routes, fastapi_routes])
async def test_the_creation_url_needs_no_slash(
    server: TusApp, embed: Callable[[TusApp], Starlette]
) -> None:
    base = "/api/v1/files" if embed is nested_routes else "/files"

    async with server.running():
        assert f"http://{HOST}{base}/" in await upload(Client(embed(server), base=base))


async def test_it_is_a_whole_application_too(server: TusApp) -> None:
    async with server.running():
        assert (await upload(Client(server, base="/"))).startswith(f"http://{HOST}/")
        assert (await upload(Client(server.below("/a/b/"), base="/a/b"))).startswith(
            f"http://{HOST}/a/b/"
        )
        assert 404 == (await Client(server.below("/a")).head("/b/x")).status


async def test_a_whole_application_has_a_lifespan(server: TusApp) -> None:
    app: App = server
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    running = asyncio.ensure_future(app({"type": "lifespan"}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    assert "lifespan.startup.complete" == (await from_app.get())["type"]

    await upload(Client(app, base="/"))

    await to_app.put({"type": "lifespan.shutdown"})
    assert "lifespan.shutdown.complete" == (await from_app.get())["type"]
    await running


@pytest.mark.parametrize(
    ("root", "path"),
    [("/api", "/api/files/"), ("/api", "/files/"), ("", "/files/")],
)
@pytest.mark.parametrize("embed", [starlette_routes, fastapi_routes, starlette_mount])
async def test_the_root_path_is_part_of_the_location(
    server: TusApp, embed: Callable[[TusApp], Starlette], root: str, path: str
) -> None:
    # uvicorn puts --root-path in front of the path; behind a proxy that strips it, others do not.
    client = Client(embed(server), base=path, scope={"root_path": root})

    async with server.running():
        response = await client.create(length=5)

        assert 201 == response.status
        assert response.location.startswith(f"http://{HOST}{root}/files/")


@pytest.mark.parametrize(
    ("tenant", "encoded"),
    [
        ("a b", "a%20b"),
        ("\N{LATIN SMALL LETTER U WITH DIAERESIS}", "%C3%BC"),
        ("\N{SNOWMAN}", "%E2%98%83"),
        ("a\r\nX-Evil: 1", "a%0D%0AX-Evil:%201"),
        ("50%", "50%25"),
        ("a#c", "a%23c"),
    ],
)
async def test_a_location_is_a_url_whatever_the_mounts_path(
    server: TusApp, tenant: str, encoded: str
) -> None:
    client = Client(Starlette(routes=[Mount("/{tenant}/files", server)]))
    async with server.running():
        client.base = f"/{tenant}/files/"
        part = await client.part(b"x")
        final = await client.concatenate(part)

        assert part.startswith(f"http://{HOST}/{encoded}/files/")
        assert 201 == final.status


def test_it_works_in_one_event_loop_after_the_other(tmp_path: Path) -> None:
    server = TusApp(storage=FileStorage(tmp_path), metadata=SQLiteMetadata(tmp_path / "tus.db"))
    client = Client(server, base="/")

    async def begin() -> str:
        return await client.new(b"he", length=5)

    async def go_on(url: str) -> int | None:
        return (await client.patch(url, 2, b"llo")).offset

    async def end(url: str) -> bytes:
        async with server.running():
            return (await client.get(url)).body

    url = asyncio.run(begin())
    assert 5 == asyncio.run(go_on(url))
    assert b"hello" == asyncio.run(end(url))


async def test_it_can_be_started_again(server: TusApp) -> None:
    client = Client(server, base="/")
    async with server.running():
        url = await client.new(b"he", length=5)

    async with server.running():
        await client.new(length=5)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server.running())
        assert 2 == (await client.head(url)).offset


async def test_many_first_requests_start_it_once() -> None:
    class Counting(MemoryStorage):
        starts = 0

        async def start(self, *, durable: bool) -> None:
            self.starts += 1
            await asyncio.sleep(0)
            await super().start(durable=durable)

    storage = Counting()
    server = TusApp(storage=storage, metadata=MemoryMetadata(), config=Config(sweep_interval=0))
    client = Client(server, base="/")

    responses = await asyncio.gather(*(client.create(length=1) for _ in range(10)))

    assert ([201] * 10, 1) == ([response.status for response in responses], storage.starts)


PROGRAM = """
import asyncio, sys
from tests.support.asgi import Client
from tusd_py import FileStorage, SQLiteMetadata, TusApp

server = TusApp(storage=FileStorage(sys.argv[1]), metadata=SQLiteMetadata(sys.argv[1] + "/tus.db"))

@server.on_finish
async def heard(upload, event_id):
    pass

async def main():
    print((await Client(server, base="/").create(b"hello", length=5)).status)

asyncio.run(main())
"""


def run(program: str, *arguments: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(  # a program that hangs fails by its time-out
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=False
    )


def test_without_a_lifespan_the_interpreter_exits_all_the_same(tmp_path: Path) -> None:
    ended = run(PROGRAM, tmp_path)

    assert ("201\n", "", 0) == (ended.stdout, ended.stderr, ended.returncode)


async def test_locks_that_are_named_are_those_that_are_used(tmp_path: Path) -> None:
    server = TusApp(
        storage=FileStorage(tmp_path),
        metadata=MemoryMetadata(),
        locks=MemoryLocks(),
    )
    async with server.running():
        assert not await asyncio.to_thread((tmp_path / "locks").exists)
