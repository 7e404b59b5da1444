"""Clients are known from memory, and looked up and written behind the requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence

import pytest

from tests.support.clock import Clock
from tusd_py.errors import MetadataUnavailable
from tusd_py.metadata.memory import MemoryClients
from tusd_py.network.clients import ClientProfile, Observation
from tusd_py.testing.clients import SEEN_AT, a_client
from tusd_py.uploads import clients as module
from tusd_py.uploads.clients import KEEP, Clients

pytestmark = pytest.mark.anyio

ALICE = "subject:alice"


class Store(MemoryClients):
    """A store that counts, and fails or waits when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.finds: list[list[str]] = []
        self.keeps: list[list[str]] = []
        self.failing: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self._something = asyncio.Condition()

    async def find(self, keys: Collection[str]) -> Sequence[ClientProfile]:
        await self._visit(self.finds, [*keys])
        return await super().find(keys)

    async def keep(
        self, profiles: Sequence[ClientProfile], *, known: Collection[str] = ()
    ) -> Sequence[str]:
        await self._visit(self.keeps, [each.key for each in profiles])
        return await super().keep(profiles, known=known)

    async def _visit(self, calls: list[list[str]], keys: list[str]) -> None:
        calls.append(keys)
        async with self._something:
            self._something.notify_all()
        await self.open.wait()
        if self.failing is not None:
            raise self.failing

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until calls of the store make something so, and what was called has gone on."""
        async with asyncio.timeout(10):
            async with self._something:
                await self._something.wait_for(reached)
            for _ in range(10):
                await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock(SEEN_AT)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def clients(store: Store, clock: Clock) -> AsyncIterator[Clients]:
    clients = Clients(store, clock, write_every=0.01)
    running = asyncio.create_task(clients.run())
    yield clients
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def ended(*, whole: bool = True) -> Observation:
    return Observation(at=SEEN_AT, whole=whole)


async def stored(store: Store, key: str = ALICE) -> ClientProfile | None:
    found = await MemoryClients.find(store, [key])
    return found[0] if found else None


async def test_the_next_request_has_what_was_looked_up_behind_the_first(
    clients: Clients, store: Store
) -> None:
    await MemoryClients.keep(store, [a_client(ALICE, transfers=7)])

    assert clients.find(ALICE) is None
    await store.until(lambda: bool(store.finds))

    found = clients.find(ALICE)
    assert found is not None
    assert 7 == found.transfers
    assert [[ALICE]] == store.finds


async def test_what_is_seen_before_the_look_up_is_not_lost(clients: Clients, store: Store) -> None:
    await MemoryClients.keep(store, [a_client(ALICE, transfers=7, reliability=0.5)])
    store.open.clear()

    assert 1 == clients.note(ALICE, ended()).transfers
    await store.until(lambda: bool(store.finds))
    assert 2 == clients.note(ALICE, ended()).transfers
    store.open.set()
    await store.until(lambda: bool(store.keeps))

    written = await stored(store)
    assert written == clients.find(ALICE)
    assert written is not None
    assert 9 == written.transfers
    assert pytest.approx(0.68) == written.reliability


async def test_nothing_is_written_of_a_client_that_was_not_looked_up(
    clients: Clients, store: Store
) -> None:
    await MemoryClients.keep(store, [a_client("subject:bob", transfers=7)])
    store.open.clear()
    clients.note(ALICE, ended())
    await store.until(lambda: [ALICE] in store.finds)
    # Bob comes while somebody else is looked up.
    clients.note("subject:bob", ended())
    store.open.set()
    await store.until(lambda: ["subject:bob"] in store.keeps)

    written = await stored(store, "subject:bob")
    assert written is not None
    assert 8 == written.transfers


async def test_many_transfers_are_few_writes(store: Store, clock: Clock) -> None:
    clients = Clients(store, clock, write_every=3600)
    running = asyncio.create_task(clients.run())
    clients.note(ALICE, ended())
    await store.until(lambda: bool(store.keeps))
    for number in range(250):
        clients.note(f"subject:{number % 125}", ended())
        await asyncio.sleep(0)
    assert 1 == len(store.keeps)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    await clients.close()

    assert [1, 100, 25] == [len(keys) for keys in store.keeps]
    assert 126 == len(await store.page(limit=1000))


async def test_who_was_forgotten_elsewhere_is_forgotten_with_the_next_write(
    clients: Clients, store: Store
) -> None:
    clients.note(ALICE, ended())
    await store.until(lambda: bool(store.keeps))
    await store.forget([ALICE])

    clients.note(ALICE, ended())
    await store.until(lambda: 2 == len(store.keeps))

    assert await stored(store) is None
    assert clients.find(ALICE) is None


async def test_who_was_forgotten_elsewhere_is_forgotten_without_a_write(
    clients: Clients, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients.note(ALICE, ended())
    await store.until(lambda: bool(store.keeps))
    await store.forget([ALICE])
    monkeypatch.setattr(module, "_LOOK_AGAIN", -1.0)

    assert clients.find(ALICE) is not None
    await store.until(lambda: 2 == len(store.finds))

    assert clients.find(ALICE) is None


async def test_what_another_process_wrote_is_seen(
    clients: Clients, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients.note(ALICE, ended())
    await store.until(lambda: bool(store.keeps))
    theirs = a_client(ALICE, transfers=50)
    await MemoryClients.keep(store, [theirs])
    monkeypatch.setattr(module, "_LOOK_AGAIN", -1.0)

    clients.find(ALICE)
    await store.until(lambda: 2 == len(store.finds))

    assert theirs == clients.find(ALICE)


async def test_who_was_not_there_yet_is_looked_up_again_before_it_is_written(
    clients: Clients, store: Store
) -> None:
    assert clients.find(ALICE) is None
    await store.until(lambda: bool(store.finds))
    await MemoryClients.keep(store, [a_client(ALICE, transfers=7)])

    clients.note(ALICE, ended())
    await store.until(lambda: bool(store.keeps))

    written = await stored(store)
    assert written is not None
    assert 8 == written.transfers


async def test_forgetting_is_told_and_at_once(clients: Clients, store: Store) -> None:
    clients.note(ALICE, ended())
    await store.until(lambda: bool(store.keeps))

    assert [ALICE] == [*await clients.forget([ALICE, "subject:nobody"])]

    assert clients.find(ALICE) is None
    assert await stored(store) is None


@pytest.mark.parametrize("failure", [MetadataUnavailable(), ValueError("no connection")])
async def test_a_store_that_fails_is_written_later_and_told_once(
    clients: Clients, store: Store, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    store.failing = failure

    clients.note(ALICE, ended())
    await store.until(lambda: len(store.keeps) >= 3)
    assert 1 == sum("clients." in record.getMessage() for record in caplog.records)
    known = clients.find(ALICE)
    store.failing = None
    count = len(store.keeps)
    await store.until(lambda: len(store.keeps) > count)

    assert known is not None
    assert known == await stored(store)


async def test_what_is_known_outlives_a_look_up_that_fails(
    clients: Clients, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients.note(ALICE, ended())
    await store.until(lambda: bool(store.keeps))
    monkeypatch.setattr(module, "_LOOK_AGAIN", -1.0)
    store.failing = MetadataUnavailable()

    known = clients.find(ALICE)
    await store.until(lambda: len(store.finds) >= 2)

    assert known is not None
    assert known == clients.find(ALICE)


@pytest.mark.parametrize("failure", [MetadataUnavailable(), ValueError("no connection")])
async def test_a_server_that_stops_does_not_wait_for_a_store_again_and_again(
    store: Store, clock: Clock, failure: Exception
) -> None:
    clients = Clients(store, clock)
    store.failing = failure
    for number in range(1000):
        clients.note(f"subject:{number}", ended())

    await clients.close()

    assert 1 == len(store.keeps)


async def test_a_server_that_stops_in_the_middle_of_a_look_up_loses_nothing(
    store: Store, clock: Clock
) -> None:
    await MemoryClients.keep(store, [a_client(ALICE, transfers=7)])
    store.open.clear()
    clients = Clients(store, clock)
    running = asyncio.create_task(clients.run())
    clients.note(ALICE, ended())
    await store.until(lambda: bool(store.finds))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    store.open.set()

    await clients.close()

    written = await stored(store)
    assert written is not None
    assert 8 == written.transfers


async def test_only_so_many_are_known_at_once(store: Store, clock: Clock) -> None:
    clients = Clients(store, clock, most=2)
    for name in ("a", "b", "a", "c"):
        clients.note(name, ended())

    assert clients.find("a") is not None
    assert clients.find("c") is not None
    assert clients.find("b") is None


@pytest.mark.parametrize("seconds", [KEEP + 1, -KEEP - 1], ids=["a day", "a clock put back"])
async def test_what_was_known_a_day_ago_does_not_count(
    clients: Clients, store: Store, clock: Clock, seconds: float
) -> None:
    await MemoryClients.keep(store, [a_client("subject:bob", transfers=7)])
    clients.note(ALICE, ended())
    await store.until(lambda: bool(store.keeps))
    clock.advance(seconds)

    assert clients.find(ALICE) is None
    assert clients.find("subject:bob") is None
    await store.until(lambda: 2 == len(store.finds))
    assert clients.find("subject:bob") is None
    assert 1 == clients.note(ALICE, Observation(at=clock.now, whole=True)).transfers
