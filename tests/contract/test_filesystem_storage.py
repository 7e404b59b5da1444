import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tusd_py.errors import CallableFailed, StorageError
from tusd_py.storage.filesystem import FileStorage
from tusd_py.storage.layout import by_id
from tusd_py.testing import (
    ComposingContract,
    FileBackedContract,
    LeftoversContract,
    PublishingContract,
    StorageContract,
)
from tusd_py.testing.storage import DATA, publish, store, stored
from tusd_py.testing.uploads import CREATED_AT, a_final, a_part, an_upload


class TestFileStorage(StorageContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> FileStorage:
        return FileStorage(tmp_path / "new" / "root", layout=by_id)


class TestPublishing(PublishingContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> FileStorage:
        return FileStorage(tmp_path)


class TestLeftovers(LeftoversContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> FileStorage:
        return FileStorage(tmp_path)


class TestComposing(ComposingContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> FileStorage:
        return FileStorage(tmp_path)


class TestFileBacked(FileBackedContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> FileStorage:
        return FileStorage(tmp_path)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[FileStorage]:
    storage = FileStorage(tmp_path / "root")
    await storage.start(durable=True)
    yield storage
    await storage.close()


def files_below(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(folder)) for path in found)


def test_nothing_is_touched_before_the_start(tmp_path: Path) -> None:
    FileStorage(tmp_path / "root")

    assert not (tmp_path / "root").exists()


async def test_unfinished_uploads_are_spread_over_two_levels_of_folders(
    storage: FileStorage,
) -> None:
    await store(storage, an_upload("readable"), DATA)

    (found,) = await asyncio.to_thread(files_below, storage.uploads)
    assert len(Path(found).parts) == 3
    assert Path(found).name == "readable"
    assert await asyncio.to_thread(files_below, storage.files) == []


async def test_a_finished_upload_is_at_its_path_alone(storage: FileStorage) -> None:
    await store(storage, an_upload(path="a/b/c.bin"), DATA)
    await publish(storage, an_upload(path="a/b/c.bin", offset=10))

    assert await asyncio.to_thread(files_below, storage.root) == ["files/a/b/c.bin"]


async def test_by_default_finished_uploads_are_placed_by_day(storage: FileStorage) -> None:
    assert storage.place(an_upload(path=None)) == "2023/11/14/one"


def test_a_place_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path, layout=lambda _: "../outside")

    with pytest.raises(CallableFailed):
        storage.place(an_upload(path=None))
    with pytest.raises(CallableFailed):
        storage.place(an_upload(path="/etc/passwd"))


@pytest.mark.parametrize("path", ["d/" * 33 + "x", "/".join(["d" * 200] * 6)])
def test_a_place_that_no_disk_has_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(CallableFailed):
        FileStorage(tmp_path).place(an_upload(path=path))


@pytest.mark.parametrize("content", [b"foreign file", b"10 bytes!!"])
async def test_a_foreign_file_is_never_replaced(storage: FileStorage, content: bytes) -> None:
    foreign = storage.files / "finished" / "one"
    await asyncio.to_thread(foreign.parent.mkdir, parents=True)
    await asyncio.to_thread(foreign.write_bytes, content)
    await store(storage, an_upload(), DATA)

    with pytest.raises(StorageError):
        await publish(storage, an_upload(offset=10))

    assert await asyncio.to_thread(foreign.read_bytes) == content
    assert await stored(storage, an_upload(offset=10)) == DATA


async def test_a_foreign_file_is_not_taken_for_an_upload_without_bytes(
    storage: FileStorage,
) -> None:
    foreign = storage.files / "finished" / "one"
    await asyncio.to_thread(foreign.parent.mkdir, parents=True)
    await asyncio.to_thread(foreign.write_bytes, b"10 bytes!!")

    await store(storage, an_upload(), DATA)

    assert await asyncio.to_thread(foreign.read_bytes) == b"10 bytes!!"


async def test_a_foreign_file_stays_when_an_unfinished_upload_goes(storage: FileStorage) -> None:
    foreign = storage.files / "finished" / "one"
    await asyncio.to_thread(foreign.parent.mkdir, parents=True)
    await asyncio.to_thread(foreign.write_bytes, b"foreign")
    await store(storage, an_upload(), DATA)

    await storage.delete(an_upload(offset=10))

    assert await asyncio.to_thread(files_below, storage.root) == ["files/finished/one"]


async def interrupted_publication(storage: FileStorage) -> None:
    """Leave the file with both names, as a process does that dies in between."""
    await store(storage, an_upload(), DATA)
    (working,) = await asyncio.to_thread(files_below, storage.uploads)
    published = storage.files / "finished" / "one"
    await asyncio.to_thread(published.parent.mkdir, parents=True)
    await asyncio.to_thread(published.hardlink_to, storage.uploads / working)


async def test_half_a_publication_can_be_finished(storage: FileStorage) -> None:
    await interrupted_publication(storage)

    await publish(storage, an_upload(offset=10))

    assert await asyncio.to_thread(files_below, storage.root) == ["files/finished/one"]


async def test_half_a_publication_can_be_deleted(storage: FileStorage) -> None:
    await interrupted_publication(storage)

    await storage.delete(an_upload(offset=10))

    assert await asyncio.to_thread(files_below, storage.root) == []


async def test_half_a_publication_can_be_composed_again(storage: FileStorage) -> None:
    await interrupted_publication(storage)
    await store(storage, a_part("p", DATA), DATA)

    target = a_final("one", "p", length=10)
    await storage.compose(target, [a_part("p", DATA)])
    await publish(storage, target._replace(offset=10))

    finished = target._replace(offset=10, finished_at=CREATED_AT)
    assert await stored(storage, finished) == DATA


async def test_a_folder_that_is_a_file_cannot_be_used(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "root").write_bytes, b"")

    with pytest.raises(StorageError):
        await FileStorage(tmp_path / "root").start(durable=True)


async def test_room_is_that_of_the_file_system(storage: FileStorage) -> None:
    room = await storage.free()

    assert room is not None
    assert room > 0


def all_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


async def test_a_probe_leaves_nothing(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    await storage.start(durable=False)
    before = all_below(tmp_path)
    await storage.probe()

    assert before == all_below(tmp_path)


async def test_a_probe_tells_of_a_folder_that_is_gone(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    await storage.start(durable=False)
    (tmp_path / "files").rename(tmp_path / "elsewhere")

    with pytest.raises(StorageError):
        await storage.probe()
