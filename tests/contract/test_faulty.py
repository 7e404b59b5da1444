import asyncio
from pathlib import Path

import pytest

from tusd_py.errors import MetadataUnavailable, StorageError, StorageFull
from tusd_py.metadata.memory import MemoryMetadata
from tusd_py.storage import Composing, FileBacked
from tusd_py.storage.filesystem import FileStorage
from tusd_py.storage.memory import MemoryStorage
from tusd_py.testing import (
    ComposingContract,
    Fault,
    FaultyComposingStorage,
    FaultyFileStorage,
    FaultyMetadata,
    FaultyStorage,
    FileBackedContract,
    LeftoversContract,
    ListingContract,
    MetadataContract,
    Plan,
    PublishingContract,
    QuotasContract,
    StorageContract,
    UsesContract,
)
from tusd_py.testing.storage import DATA, store, stored
from tusd_py.testing.uploads import an_upload


class TestStorageWithoutFaults(StorageContract):
    persistent = False

    @pytest.fixture
    def storage(self) -> FaultyStorage:
        return FaultyStorage(MemoryStorage(), Plan())


class TestPublishingWithoutFaults(PublishingContract):
    @pytest.fixture
    def storage(self) -> FaultyStorage:
        return FaultyStorage(MemoryStorage(), Plan())


class TestLeftoversWithoutFaults(LeftoversContract):
    @pytest.fixture
    def storage(self) -> FaultyStorage:
        return FaultyStorage(MemoryStorage(), Plan())


class TestComposingWithoutFaults(ComposingContract):
    @pytest.fixture
    def storage(self) -> FaultyComposingStorage:
        return FaultyComposingStorage(MemoryStorage(), Plan())


class TestFilesWithoutFaults(FileBackedContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> FaultyFileStorage:
        return FaultyFileStorage(FileStorage(tmp_path), Plan())


class TestMetadataWithoutFaults(MetadataContract):
    persistent = False

    @pytest.fixture
    def metadata(self) -> FaultyMetadata:
        return FaultyMetadata(MemoryMetadata(), Plan())


class TestListingWithoutFaults(ListingContract):
    @pytest.fixture
    def metadata(self) -> FaultyMetadata:
        return FaultyMetadata(MemoryMetadata(), Plan())


class TestUsesWithoutFaults(UsesContract):
    @pytest.fixture
    def metadata(self) -> FaultyMetadata:
        return FaultyMetadata(MemoryMetadata(), Plan())


class TestQuotasWithoutFaults(QuotasContract):
    @pytest.fixture
    def metadata(self) -> FaultyMetadata:
        return FaultyMetadata(MemoryMetadata(), Plan())


def test_a_storage_that_does_not_compose_does_not_look_as_if_it_did() -> None:
    assert not isinstance(FaultyStorage(MemoryStorage(), Plan()), Composing)


def test_a_storage_without_files_does_not_look_as_if_it_had_some() -> None:
    assert not isinstance(MemoryStorage(), FileBacked)
    assert not isinstance(FaultyComposingStorage(MemoryStorage(), Plan()), FileBacked)


async def test_the_call_that_is_planned_fails_and_no_other() -> None:
    plan = Plan(Fault(method="sync", call=2, error=StorageError))
    writer = FaultyStorage(MemoryStorage(), plan).writer(an_upload())

    await writer.sync()
    with pytest.raises(StorageError):
        await writer.sync()
    await writer.sync()

    assert plan.calls["sync"] == 3


async def test_a_lasting_fault_stays() -> None:
    plan = Plan(Fault(method="sync", call=2, lasting=True, error=StorageError))
    writer = FaultyStorage(MemoryStorage(), plan).writer(an_upload())

    await writer.sync()
    for _ in range(2):
        with pytest.raises(StorageError):
            await writer.sync()


async def test_a_write_can_fail_after_some_bytes() -> None:
    storage = FaultyStorage(
        MemoryStorage(), Plan(Fault(method="write", error=StorageFull, after=4))
    )
    writer = storage.writer(an_upload())

    with pytest.raises(StorageFull):
        await writer.write([b"012", b"345"])

    assert writer.offset == 4
    assert await stored(storage, an_upload(offset=4)) == b"0123"


async def test_reading_can_fail_between_two_pieces() -> None:
    plan = Plan(Fault(method="read", call=2, error=StorageError))
    storage = FaultyStorage(MemoryStorage(), plan)
    await store(storage, an_upload(), DATA)

    with pytest.raises(StorageError):
        await stored(storage, an_upload(offset=10))

    assert plan.calls["read"] == 2


@pytest.mark.parametrize("error", [None, MetadataUnavailable])
async def test_a_call_can_wait_for_the_test(error: type[MetadataUnavailable] | None) -> None:
    fault = Fault(method="create", until=asyncio.Event(), error=error)
    metadata = FaultyMetadata(MemoryMetadata(), Plan(fault))
    creating = asyncio.create_task(metadata.create(an_upload()))
    await fault.reached.wait()

    assert list(await metadata.page()) == []
    assert fault.until is not None
    fault.until.set()
    await asyncio.wait((creating,))
    assert len(await metadata.page()) == (1 if error is None else 0)
    assert (creating.exception() is None) is (error is None)
