import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tusd_py.errors import (
    MetadataError,
    MetadataUnavailable,
    SchemaTooNew,
    StorageFull,
    UploadExists,
    UploadNotFound,
)
from tusd_py.metadata import Event, Receiver, profiles
from tusd_py.metadata import connection as connections
from tusd_py.metadata.schema import MIGRATIONS
from tusd_py.metadata.sqlite import SQLiteMetadata
from tusd_py.protocol.upload import UploadId
from tusd_py.testing import (
    ClientsContract,
    ListingContract,
    MetadataContract,
    OutboxContract,
    QuotasContract,
    UsesContract,
)
from tusd_py.testing.clients import a_client
from tusd_py.testing.uploads import an_upload


class TestSQLiteMetadata(MetadataContract):
    @pytest.fixture
    def metadata(self, tmp_path: Path) -> SQLiteMetadata:
        return SQLiteMetadata(tmp_path / "new" / "folder" / "tus.db")


class TestListing(ListingContract):
    @pytest.fixture
    def metadata(self, tmp_path: Path) -> SQLiteMetadata:
        return SQLiteMetadata(tmp_path / "tus.db")


class TestUses(UsesContract):
    @pytest.fixture
    def metadata(self, tmp_path: Path) -> SQLiteMetadata:
        return SQLiteMetadata(tmp_path / "tus.db")


class TestQuotas(QuotasContract):
    @pytest.fixture
    def metadata(self, tmp_path: Path) -> SQLiteMetadata:
        return SQLiteMetadata(tmp_path / "tus.db")


class TestClients(ClientsContract):
    @pytest.fixture
    def metadata(self, tmp_path: Path) -> SQLiteMetadata:
        return SQLiteMetadata(tmp_path / "tus.db")


class TestOutbox(OutboxContract):
    @pytest.fixture
    def metadata(self, tmp_path: Path) -> SQLiteMetadata:
        return SQLiteMetadata(tmp_path / "tus.db")


@pytest.fixture
async def metadata(tmp_path: Path) -> AsyncIterator[SQLiteMetadata]:
    metadata = SQLiteMetadata(tmp_path / "tus.db")
    await metadata.start(durable=True)
    yield metadata
    await metadata.close()


def query(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(statement).fetchall()
        database.commit()
    return rows


def is_connection(thread: threading.Thread) -> bool:
    return "connection_worker" in thread.name


def test_nothing_is_touched_before_the_start(tmp_path: Path) -> None:
    SQLiteMetadata(tmp_path / "tus.db")

    assert list(tmp_path.iterdir()) == []


async def test_creations_that_come_together_share_commits(metadata: SQLiteMetadata) -> None:
    before = metadata.commits
    await asyncio.gather(*(metadata.create(an_upload(f"{number}")) for number in range(100)))

    assert len(await metadata.page(limit=200)) == 100
    assert 1 <= metadata.commits - before <= 10


async def test_one_that_fails_fails_alone(metadata: SQLiteMetadata) -> None:
    uploads = [an_upload(f"{number}") for number in range(100)]
    uploads[50] = an_upload("taken", path="finished/49")

    results = await asyncio.gather(*map(metadata.create, uploads), return_exceptions=True)

    assert [at for at, result in enumerate(results) if result is not None] == [50]
    assert isinstance(results[50], UploadExists)
    assert len(await metadata.page(limit=200)) == 99


@pytest.mark.parametrize("value", ["\ud800", 2**63], ids=["surrogate", "large"])
async def test_one_that_cannot_be_stored_fails_alone(
    metadata: SQLiteMetadata, value: object
) -> None:
    bad = an_upload("bad", **{"subject" if isinstance(value, str) else "length": value})

    results = await asyncio.gather(
        metadata.create(an_upload("a")),
        metadata.create(bad),
        metadata.create(an_upload("b")),
        return_exceptions=True,
    )

    assert type(results[1]) is MetadataError
    assert [results[0], results[2]] == [None, None]
    assert [upload.id for upload in await metadata.page()] == ["a", "b"]


async def test_one_that_fails_in_an_unexpected_way_fails_alone(metadata: SQLiteMetadata) -> None:
    broken = an_upload("broken", parts=(1,))
    results = await asyncio.gather(
        metadata.create(an_upload("one")),
        metadata.create(broken),
        metadata.create(an_upload("two")),
        return_exceptions=True,
    )

    assert [None, TypeError, None] == [result and type(result) for result in results]
    assert ["one", "two"] == [upload.id for upload in await metadata.page()]


async def test_who_cannot_begin_does_not_try_twice(metadata: SQLiteMetadata) -> None:
    # Each try may wait for as long as another process may hold the database.
    writer = metadata._writer
    assert writer is not None
    began: list[str] = []
    await writer.run(sqlite3.Connection.set_trace_callback, began.append)
    with closing(sqlite3.connect(metadata.path, isolation_level=None)) as other:
        await writer.run(lambda connection: connection.execute("PRAGMA busy_timeout = 0"))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MetadataUnavailable):
            await metadata.create(an_upload("one"))

    assert 1 == began.count("BEGIN IMMEDIATE")


async def test_what_breaks_another_rule_of_the_schema_does_not_exist_already(
    metadata: SQLiteMetadata,
) -> None:
    with pytest.raises(MetadataError) as raised:
        await metadata.create(an_upload(created_at=None))

    assert not isinstance(raised.value, UploadExists)


async def test_an_event_that_fails_takes_the_facts_along(metadata: SQLiteMetadata) -> None:
    await metadata.create(an_upload())
    await asyncio.to_thread(query, metadata.path, "DROP TABLE events")

    with pytest.raises(MetadataError):
        await metadata.record(
            an_upload(offset=5), events=[Event(id="e", upload_id=UploadId("one"))]
        )

    assert await metadata.get(UploadId("one")) == an_upload()


async def test_who_is_cancelled_does_not_take_the_work_back(metadata: SQLiteMetadata) -> None:
    task = asyncio.create_task(metadata.create(an_upload()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
    # The next one is committed after the first.
    await metadata.create(an_upload("two"))

    assert task.cancelled()
    assert await metadata.get(UploadId("one")) == an_upload()


async def test_it_is_in_wal_mode(metadata: SQLiteMetadata) -> None:
    assert await asyncio.to_thread(query, metadata.path, "PRAGMA journal_mode") == [("wal",)]


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])
async def test_durable_commits_are_synced(tmp_path: Path, durable: bool, level: int) -> None:
    metadata = SQLiteMetadata(tmp_path / "tus.db")
    await metadata.start(durable=durable)
    assert metadata._writer is not None
    found = await metadata._writer.run(
        lambda database: database.execute("PRAGMA synchronous").fetchone()
    )
    await metadata.close()

    assert found == (level,)


async def test_every_table_is_strict(metadata: SQLiteMetadata) -> None:
    tables = await asyncio.to_thread(
        query, metadata.path, "SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"
    )

    own = {name: strict for name, strict in tables if not str(name).startswith("sqlite_")}
    assert own == {"uploads": 1, "events": 1, "grants": 1, "uses": 1, "creations": 1, "clients": 1}


async def test_the_schema_has_the_number_of_its_last_migration(metadata: SQLiteMetadata) -> None:
    version = await asyncio.to_thread(query, metadata.path, "PRAGMA user_version")

    assert version == [(len(MIGRATIONS),)]


async def test_events_of_an_older_schema_are_still_told(tmp_path: Path) -> None:
    path = tmp_path / "tus.db"

    def older() -> None:
        with closing(sqlite3.connect(path)) as database:
            for statement in (each for migration in MIGRATIONS[:3] for each in migration):
                database.execute(statement)
            database.execute("INSERT INTO events (id, upload_id) VALUES ('e', 'one')")
            database.execute("PRAGMA user_version = 3")
            database.commit()

    await asyncio.to_thread(older)
    metadata = SQLiteMetadata(path)
    await metadata.start(durable=True)

    event = Event(id="e", upload_id=UploadId("one"))
    assert [event] == list(await metadata.due(0.0, 10, [Receiver.CALLABLES]))
    await metadata.close()


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path, newer = tmp_path / "tus.db", len(MIGRATIONS) + 1
    await asyncio.to_thread(query, path, f"PRAGMA user_version = {newer}")
    metadata = SQLiteMetadata(path)

    with pytest.raises(SchemaTooNew) as raised:
        await metadata.start(durable=True)
    await metadata.close()

    assert (raised.value.found, raised.value.known) == (newer, newer - 1)
    assert await asyncio.to_thread(query, path, "PRAGMA user_version") == [(newer,)]
    assert await asyncio.to_thread(query, path, "SELECT name FROM sqlite_master") == []


async def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tus.db"
    await asyncio.to_thread(path.write_bytes, b"This is a text and no database. " * 100)

    before = set(threading.enumerate())

    with pytest.raises(MetadataError) as raised:
        await SQLiteMetadata(path).start(durable=True)

    assert type(raised.value) is MetadataError
    left = [thread for thread in set(threading.enumerate()) - before if is_connection(thread)]
    for thread in left:
        await asyncio.to_thread(thread.join, 2)
    assert [thread for thread in left if thread.is_alive()] == []


async def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "file").write_bytes, b"")

    with pytest.raises(MetadataError):
        await SQLiteMetadata(tmp_path / "file" / "tus.db").start(durable=True)


async def test_a_store_that_is_not_open_says_so(tmp_path: Path) -> None:
    metadata = SQLiteMetadata(tmp_path / "tus.db")

    with pytest.raises(MetadataError):
        await metadata.get(UploadId("one"))
    with pytest.raises(MetadataError):
        await metadata.create(an_upload())


async def test_another_process_that_writes_for_too_long_makes_it_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_BUSY_SECONDS", 0.0)
    metadata = SQLiteMetadata(tmp_path / "tus.db")
    await metadata.start(durable=True)
    other = await asyncio.to_thread(
        sqlite3.connect, metadata.path, isolation_level=None, check_same_thread=False
    )
    await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")

    with pytest.raises(MetadataUnavailable):
        await metadata.create(an_upload())
    with pytest.raises(UploadNotFound):
        await metadata.get(UploadId("one"))

    await asyncio.to_thread(other.close)
    await metadata.create(an_upload())
    assert await metadata.get(UploadId("one")) == an_upload()
    await metadata.close()


async def test_another_process_sees_what_was_committed(metadata: SQLiteMetadata) -> None:
    other = SQLiteMetadata(metadata.path)
    await other.start(durable=True)
    await metadata.create(an_upload())

    assert await other.get(UploadId("one")) == an_upload()
    await other.close()


async def test_a_full_database_is_a_full_storage(metadata: SQLiteMetadata) -> None:
    def limit(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 24")

    assert metadata._writer is not None
    await metadata._writer.run(limit)

    async def fill() -> None:
        for number in range(1000):
            await metadata.create(an_upload(str(number), path=None, metadata="k " + "a" * 400))

    with pytest.raises(StorageFull):
        await fill()
    assert "0" == (await metadata.get(UploadId("0"))).id


async def test_clients_wait_for_others_who_write_and_not_for_long(
    metadata: SQLiteMetadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "_BUSY_MILLISECONDS", 0)
    alice, bob = a_client("subject:alice"), a_client("subject:bob")
    await metadata.clients.keep([alice])
    with closing(sqlite3.connect(metadata.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MetadataUnavailable):
            await metadata.clients.keep([bob])
        with pytest.raises(MetadataUnavailable):
            await metadata.clients.forget([alice.key])
        assert [alice] == list(await metadata.clients.find([alice.key, bob.key]))

    await metadata.clients.keep([bob])
    assert [alice, bob] == list(await metadata.clients.page())


async def test_a_client_that_cannot_be_stored_leaves_nothing_behind(
    metadata: SQLiteMetadata,
) -> None:
    broken = a_client("subject:broken", transfers=2**63)

    with pytest.raises(MetadataError):
        await metadata.clients.keep([a_client("subject:alice"), broken])

    assert [] == list(await metadata.clients.page())


@pytest.mark.parametrize(
    "broken",
    [
        "interfaces = '{broken'",
        "interfaces = '5'",
        "interfaces = '[[\"eth0\"]]'",
        "interfaces = '[[1, 2, \"x\"]]'",
        f"interfaces = '{'[' * 60_000}'",
        "interfaces = CAST(X'FF' AS TEXT)",
        "last_seen = 9e999",
        "first_seen = 1e18",
        "rate = -9e999",
    ],
    ids=lambda broken: broken[:30],
)
async def test_a_client_whose_row_is_broken_is_unknown_until_it_is_written(
    metadata: SQLiteMetadata, broken: str
) -> None:
    alice, bob, carol = (a_client(f"subject:{name}") for name in ("alice", "bob", "carol"))
    await metadata.clients.keep([alice, bob, carol])
    query(metadata.path, f"UPDATE clients SET {broken} WHERE key <> 'subject:carol'")  # noqa: S608 - constants only

    found = await metadata.clients.find([alice.key, bob.key, carol.key])
    page = await metadata.clients.page(limit=1)
    await metadata.clients.keep([bob])

    assert [carol] == list(found) == list(page)
    assert [bob, carol] == list(await metadata.clients.page())


async def test_uploads_do_not_share_commits_with_clients(metadata: SQLiteMetadata) -> None:
    before = metadata.commits
    await metadata.clients.keep([a_client()])

    assert before == metadata.commits
