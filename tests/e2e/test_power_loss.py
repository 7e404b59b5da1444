"""Power that goes at any moment: with ``durability = "disk"`` nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.power.machine import Power, PoweredServer, mounted
from tests.e2e.power.workload import TYPE, Client, Sent, Unanswered, check, path_of, run_together
from tests.spec.served import NOW, Served
from tests.spec.test_checksum import checksum
from tests.support.asgi import Header, Response
from tests.support.clock import Clock
from tests.support.live import Wire, head, wait_until_stored
from tusd_py import FileStorage, SQLiteMetadata, TusApp, TusError
from tusd_py.locks.memory import MemoryLocks
from tusd_py.uploads.verify import verify

pytestmark = [
    pytest.mark.timeout(300),
    # The loop of a server that lost its power is gone; its database may still answer.
    pytest.mark.filterwarnings(
        "ignore:Exception in thread .*_connection_worker_thread"
        ":pytest.PytestUnhandledThreadExceptionWarning"
    ),
]

CLIENTS = 6
ROUNDS = 6
# Changes of the disk until the power goes: a start makes a few hundred, an upload about twenty.
MOMENTS = range(300, 3000)
PATIENCE = 30.0
DATA = b"hello world"
PARTIAL: Header = ("Upload-Concat", "partial")
MOST_MOMENTS = 1000


@pytest.fixture
def power(tmp_path: Path) -> Iterator[Power]:
    with mounted(tmp_path / "disk") as found:
        yield found


@pytest.fixture
def server(power: Power) -> Iterator[PoweredServer]:
    server = PoweredServer(power)
    yield server
    if server.is_running:
        server.kill()


def some_clients(server: PoweredServer, chance: random.Random) -> list[Client]:
    return [
        Client(server.port, random.Random(chance.random()))  # noqa: S311 - a test must be repeatable
        for _ in range(CLIENTS)
    ]


def lose_power(server: PoweredServer, clients: list[Client], chance: random.Random) -> None:
    """Let the clients work until the power goes, and have the server back."""
    seed = chance.choice((None, chance.randrange(1000)))
    server.power.cut_after(chance.choice(MOMENTS), seed=seed)
    threads = run_together(clients)
    server.power.wait_for_the_cut()
    server.boot_again()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def check_all(server: PoweredServer, clients: list[Client]) -> None:
    with Wire(server.port) as wire:
        for client in clients:
            for upload in client.sent:
                check(wire, upload)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_acknowledged_is_lost(server: PoweredServer, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test must be repeatable
    server.start()
    clients = some_clients(server, chance)
    for _ in range(ROUNDS):
        lose_power(server, clients, chance)
        check_all(server, clients)

    assert sum(upload.finished for client in clients for upload in client.sent) > ROUNDS


@pytest.mark.parametrize(
    "missing", ["bytes", "new file", "finished file", "new folder", "database"]
)
def test_a_missing_sync_is_seen(server: PoweredServer, missing: str) -> None:
    chance = random.Random(missing)  # noqa: S311 - a test must be repeatable
    server.missing = missing
    server.start()
    clients = some_clients(server, chance)
    lose_power(server, clients, chance)

    with pytest.raises(AssertionError, match=r"were safe|finished upload|<="):
        check_all(server, clients)


def test_what_a_killed_process_left_is_safe_once_it_is_told(server: PoweredServer) -> None:
    server.start()
    with Wire(server.port) as wire:
        path = path_of(wire.request("POST", "/files/", upload_length="20"))
        length = {"content_length": "20", "content_type": TYPE}
        wire.send(head("PATCH", path, upload_offset="0", **length), DATA)
        wait_until_stored(server.data_dir, len(DATA))
        server.kill()
    server.start()
    upload = Sent(DATA + b"x" * 9, path=path, tried=len(DATA))
    with Wire(server.port) as wire:
        upload.acknowledge(int(wire.request("HEAD", path).headers["upload-offset"]))

    server.power.cut()
    server.boot_again()

    with Wire(server.port) as wire:
        check(wire, upload)


@pytest.mark.parametrize("chance", [None, *range(3)])
def test_at_every_moment_what_was_told_is_safe(
    power: Power, tmp_path: Path, chance: int | None
) -> None:
    for moment in range(MOST_MOMENTS):
        power.cut_after(moment, seed=chance)
        folder, told = power.folder / f"{moment}", dict[str, bytes]()
        ended = asyncio.run(until_the_power_goes(folder, told))
        power.cut()
        power.switch_on()
        # This process is not dead, and SQLite still knows of its locks there.
        left = tmp_path / f"{moment}"
        if folder.exists():
            shutil.copytree(folder, left)
        asyncio.run(find_again(left, told))
        if ended:
            return
    raise AssertionError("The power always went before the end.")


async def until_the_power_goes(folder: Path, told: dict[str, bytes]) -> bool:
    """Upload in every way, noting what was acknowledged by URL; tells whether it came to an end."""
    tus = served(folder, "one boot")
    with suppress(TusError):
        async with tus.server.running():
            with suppress(Unanswered):
                await upload_in_every_way(tus, told)
                return True
    return False


async def upload_in_every_way(tus: Served, told: dict[str, bytes]) -> None:
    told[acknowledged(await tus.create(DATA, length=11)).location] = DATA
    url = acknowledged(await tus.create(length=33)).location
    told[url] = b""
    for count in range(3):
        headers = [checksum(DATA)] if count == 1 else []
        acknowledged(await tus.patch(url, 11 * count, DATA, headers=headers))
        told[url] += DATA
    part = acknowledged(await tus.create(DATA, length=11, headers=[PARTIAL])).location
    told[part] = DATA
    told[acknowledged(await tus.concatenate(part, part)).location] = DATA + DATA


async def find_again(folder: Path, told: dict[str, bytes]) -> None:
    tus = served(folder, "another boot")
    async with tus.server.running():
        for url, data in told.items():
            found = await tus.head(url)
            assert (found.status, (found.offset or 0) >= len(data)) == (200, True)
            assert (await tus.stored(url)).startswith(data)
        await tus.server.recover()
        engine = await tus.server._runtime.started()
        assert [] == await verify(engine.storage, engine.metadata, pause=0)


def acknowledged(response: Response) -> Response:
    if response.status not in (201, 204):
        raise Unanswered(response.status)
    return response


def served(folder: Path, boot_id: str) -> Served:
    clock, metadata = Clock(NOW), SQLiteMetadata(folder / "tus.db")
    storage = FileStorage(folder)
    # What locks keep on the disk is of no use after a loss of power.
    locks = MemoryLocks()
    server = TusApp(storage=storage, metadata=metadata, locks=locks, clock=clock, boot_id=boot_id)
    return Served(server, clock)
