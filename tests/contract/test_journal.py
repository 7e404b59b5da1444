"""Small files that are published before they are recorded, and processes that die in between."""

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.test_filesystem_faults import failing, full_after
from tests.contract.test_filesystem_storage import files_below
from tusd_py.errors import StorageError, StorageFull
from tusd_py.storage import journal, ownership
from tusd_py.storage.filesystem import FileStorage
from tusd_py.testing.leftovers import Records, publish_unrecorded, published
from tusd_py.testing.uploads import an_upload


@pytest.fixture(params=[True, False], ids=["durable", "not durable"])
async def storage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[FileStorage]:
    storage = FileStorage(tmp_path / "root")
    await storage.start(durable=request.param)
    yield storage
    await storage.close()


@pytest.fixture
async def other(storage: FileStorage) -> AsyncIterator[FileStorage]:
    """Another process with the same folder."""
    other = FileStorage(storage.root)
    await other.start(durable=False)
    yield other
    await other.close()


async def lists(storage: FileStorage) -> list[str]:
    """The lines of all lists of published files."""
    found = storage.root.glob("processes/*/published.list")
    return [line for path in found for line in (await asyncio.to_thread(path.read_text)).split()]


async def abandon(storage: FileStorage, *lines: str, young: str | None = None) -> None:
    """Leave the folder of a process that has ended, with a list and perhaps an unpublished file."""
    folder = storage.root / "processes" / "1-dead"
    await asyncio.to_thread(folder.mkdir)
    await asyncio.to_thread((folder / "published.list").write_text, "".join(lines))
    if young is not None:
        await asyncio.to_thread((folder / young).write_bytes, b"half of")


async def everything(storage: FileStorage) -> list[str]:
    return await asyncio.to_thread(files_below, storage.root)


async def test_another_process_leaves_what_a_living_one_has_not_recorded(
    storage: FileStorage, other: FileStorage
) -> None:
    await publish_unrecorded(storage, an_upload())

    assert await other.reclaim(Records()) == 0

    assert await published(storage) == ["finished/one"]


async def test_another_process_removes_what_one_left_that_has_ended(
    storage: FileStorage, other: FileStorage
) -> None:
    await publish_unrecorded(storage, an_upload())
    await storage.close()

    assert await other.reclaim(Records()) == 1

    assert await everything(storage) == []


async def test_a_process_that_left_nothing_leaves_no_folder(storage: FileStorage) -> None:
    await publish_unrecorded(storage, an_upload(), recorded=True)

    await storage.close()

    assert await asyncio.to_thread(os.listdir, storage.root / "processes") == []


async def test_without_small_files_there_is_no_folder(storage: FileStorage) -> None:
    assert await asyncio.to_thread(os.listdir, storage.root / "processes") == []


async def test_a_file_that_was_not_published_yet_goes_too(storage: FileStorage) -> None:
    await abandon(storage, young="half")

    assert await storage.reclaim(Records()) == 1

    assert await everything(storage) == []


async def test_what_is_announced_together_is_written_at_once(
    other: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish_unrecorded(other, an_upload("first"))
    writes: list[bytes] = []
    real = journal.Journal._put

    def put(self: journal.Journal, fd: int, lines: list[str], offset: int) -> int:
        writes.append("".join(lines).encode())
        return real(self, fd, lines, offset)

    monkeypatch.setattr(journal.Journal, "_put", put)
    names = [f"upload-{number}" for number in range(5)]
    await asyncio.gather(*[publish_unrecorded(other, an_upload(name)) for name in names])

    assert writes[0] == "".join(f"+finished/{name}\n" for name in names).encode()
    assert len(writes) == 1


async def test_a_long_list_is_begun_anew_with_what_is_not_recorded(
    storage: FileStorage, other: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_GROWTH", 20)
    await publish_unrecorded(storage, an_upload("lost"))
    for number in range(50):
        await publish_unrecorded(storage, an_upload(f"kept-{number}"), recorded=True)

    lines = await lists(storage)
    await storage.close()

    assert await other.reclaim(Records()) == 1
    assert len(lines) < 10
    assert lines[0] == "+finished/lost"
    assert len(await published(other)) == 50


@pytest.mark.parametrize(
    "line",
    [
        "+finished/kep",
        "\0\0\0\0\n",
        "\n",
        "finished/kept\n",
        "+\0shed/kept\n",
        "+../tus.db\n",
        "+/\n",
    ],
)
async def test_lines_that_are_not_whole_remove_nothing(storage: FileStorage, line: str) -> None:
    await publish_unrecorded(storage, an_upload("kept"), recorded=True)
    await publish_unrecorded(storage, an_upload("kep"), recorded=True)
    await abandon(storage, "+finished/gone\n", line)

    records = Records()
    await storage.reclaim(records)

    assert records.asked == ["finished/gone"]
    assert await published(storage) == ["finished/kep", "finished/kept"]


async def test_what_cannot_be_written_down_is_not_published(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish_unrecorded(storage, an_upload("first"), recorded=True)
    monkeypatch.setattr(os, "pwritev", full_after(9))
    with pytest.raises(StorageFull):
        await publish_unrecorded(storage, an_upload("second"))
    await storage.delete(an_upload("second", run=""))
    monkeypatch.undo()

    await publish_unrecorded(storage, an_upload("third"))

    assert await published(storage) == ["finished/first", "finished/third"]
    assert (await lists(storage))[-1] == "+finished/third"


async def test_after_a_list_that_could_not_be_begun_the_next_is(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", failing(errno.EIO))
    with pytest.raises(StorageError):
        await publish_unrecorded(storage, an_upload("first"))
    await storage.delete(an_upload("first", run=""))
    monkeypatch.undo()

    await publish_unrecorded(storage, an_upload("second"))

    assert await published(storage) == ["finished/second"]
    assert await lists(storage) == ["+finished/second"]


async def test_what_is_recorded_is_no_concern_of_who_cleans_up(
    storage: FileStorage, other: FileStorage
) -> None:
    for name in ("one", "two"):
        await publish_unrecorded(storage, an_upload(name), recorded=True)
    await publish_unrecorded(storage, an_upload("lost"))
    await storage.close()
    records = Records()

    await other.reclaim(records)

    assert records.asked == ["finished/lost"]


async def test_that_all_is_recorded_is_written_down_without_anyone_who_comes(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = asyncio.Event()
    loop, real = asyncio.get_running_loop(), journal.Journal._write_later

    def write_later(self: journal.Journal) -> None:
        real(self)
        loop.call_soon_threadsafe(written.set)

    monkeypatch.setattr(journal.Journal, "_write_later", write_later)
    monkeypatch.setattr(journal, "_SOON", 0)
    await publish_unrecorded(storage, an_upload(), recorded=True)
    await written.wait()

    assert await lists(storage) == ["+finished/one", "-finished/one"]


@pytest.mark.parametrize("folder", ["processes", "processes/*"])
async def test_a_folder_that_was_taken_away_is_made_again_as_far_as_that_may_be(
    storage: FileStorage, folder: str
) -> None:
    await publish_unrecorded(storage, an_upload("first"), recorded=True)
    (found,) = storage.root.glob(folder)
    await asyncio.to_thread(shutil.rmtree, found)
    if folder == "processes":
        with pytest.raises(StorageError):
            await publish_unrecorded(storage, an_upload("second"))
        await asyncio.to_thread(found.mkdir)
        await storage.delete(an_upload("second", run=""))

    await publish_unrecorded(storage, an_upload("third"))

    assert await published(storage) == ["finished/first", "finished/third"]
    assert "+finished/third" in await lists(storage)


async def test_lines_that_lead_to_no_file_are_no_obstacle(storage: FileStorage) -> None:
    await asyncio.to_thread((storage.files / "a-folder").mkdir)
    await abandon(storage, "+a-folder\n", f"+{'long' * 99}\n", young="half")

    assert await storage.reclaim(Records()) == 1

    assert await asyncio.to_thread(os.listdir, storage.root / "processes") == []


async def test_a_file_that_cannot_be_published_can_be_removed(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish_unrecorded(storage, an_upload("first"), recorded=True)
    monkeypatch.setattr(os, "rename", failing(errno.EIO))

    with pytest.raises(StorageError):
        await publish_unrecorded(storage, an_upload("second"))
    await storage.delete(an_upload("second", run=""))
    await storage.close()

    assert await everything(storage) == ["files/finished/first"]


async def test_a_list_is_left_while_nobody_can_tell_what_is_recorded(storage: FileStorage) -> None:
    await publish_unrecorded(storage, an_upload())
    await storage.close()
    await storage.start(durable=True)

    async def cannot_tell(_: object) -> list[str]:
        raise StorageError

    with pytest.raises(StorageError):
        await storage.reclaim(cannot_tell)

    assert await published(storage) == ["finished/one"]
    assert await storage.reclaim(Records()) == 1


def test_an_owned_folder_is_nobody_elses(tmp_path: Path) -> None:
    folder = str(tmp_path / "mine")
    lock = ownership.own(folder, str(tmp_path))

    assert ownership.inherit(folder) is None

    os.close(lock)
    inherited = ownership.inherit(folder)
    assert inherited is not None
    os.close(inherited)


def test_a_folder_that_is_removed_while_it_is_made_is_made_again(tmp_path: Path) -> None:
    folder = str(tmp_path / "mine")
    (tmp_path / "mine").mkdir()
    # Somebody takes it for one that was left, before the new owner has locked it.
    inherited = ownership.inherit(folder)
    assert inherited is not None
    owned: list[int] = []
    owner = threading.Thread(target=lambda: owned.append(ownership.own(folder, str(tmp_path))))
    owner.start()
    ownership.remove(folder)
    os.close(inherited)
    owner.join(10)

    assert ownership.inherit(folder) is None
    os.close(owned[0])


def test_a_folder_that_is_gone_is_inherited_by_nobody(tmp_path: Path) -> None:
    assert ownership.inherit(str(tmp_path / "gone")) is None


def test_a_missing_parent_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ownership.own(str(tmp_path / "gone" / "mine"), str(tmp_path / "gone"))
