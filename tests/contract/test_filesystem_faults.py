"""What the operating system can do to a storage of files."""

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from tusd_py import folders
from tusd_py.errors import StorageError, StorageFull
from tusd_py.storage.filesystem import FileStorage
from tusd_py.testing.leftovers import working
from tusd_py.testing.storage import DATA, publish, store, stored
from tusd_py.testing.uploads import CREATED_AT, a_final, a_part, an_upload

MIB = 2**20
Pwritev = Callable[[int, Sequence[Any], int], int]


def short(most: int) -> Pwritev:
    """A ``pwritev`` that writes at most so many bytes a call."""
    real = os.pwritev

    def pwritev(fd: int, buffers: Sequence[Any], offset: int) -> int:
        return real(fd, [b"".join(buffers)[:most]], offset)

    return pwritev


def full_after(room: int) -> Pwritev:
    """A ``pwritev`` on a disk that has so many bytes left."""
    left, real = room, os.pwritev

    def pwritev(fd: int, buffers: Sequence[Any], offset: int) -> int:
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = real(fd, [b"".join(buffers)[:left]], offset)
        left -= written
        return written

    return pwritev


def failing(code: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.fixture(params=[True, False], ids=["durable", "not durable"])
async def storage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[FileStorage]:
    storage = FileStorage(tmp_path / "root")
    await storage.start(durable=request.param)
    yield storage
    await storage.close()


@pytest.mark.parametrize("most", [1, 3, 4])
async def test_short_writes_are_carried_on(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(os, "pwritev", short(most))
    writer = storage.writer(an_upload())
    await writer.write([DATA[:4], b"", DATA[4:5], DATA[5:]])
    await writer.close()

    assert writer.offset == 10
    assert await stored(storage, an_upload(offset=10)) == DATA


async def test_without_pwritev_bytes_are_written_all_the_same(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pwritev")
    await store(storage, an_upload(), DATA[:4])
    writer = storage.writer(an_upload(offset=4))
    await writer.write([b"", DATA[4:5], DATA[5:]])
    await writer.close()

    assert await stored(storage, an_upload(offset=10)) == DATA


@pytest.mark.parametrize("room", [0, 1, 6, 9])
async def test_on_a_full_disk_what_fitted_counts(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(os, "pwritev", full_after(room))
    writer = storage.writer(an_upload())
    with pytest.raises(StorageFull):
        await writer.write([DATA[:4], DATA[4:]])
    await writer.close()

    assert writer.offset == room
    assert await stored(storage, an_upload(offset=room)) == DATA[:room]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EFBIG, StorageFull),
        (errno.EIO, StorageError),
        (errno.EROFS, StorageError),
    ],
)
async def test_errors_of_the_system_become_ours_and_tell_nothing_of_it(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, code: int, error: type[StorageError]
) -> None:
    monkeypatch.setattr(os, "pwritev", failing(code))
    writer = storage.writer(an_upload())
    with pytest.raises(StorageError) as raised:
        await writer.write([DATA])
    await writer.close()

    assert type(raised.value) is error
    assert os.strerror(code) not in str(raised.value)
    assert str(storage.root) not in str(raised.value)
    assert isinstance(raised.value.__cause__, OSError)


async def test_a_failing_sync_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FileStorage(tmp_path)
    await storage.start(durable=True)
    writer = storage.writer(an_upload())
    await writer.write([DATA])
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))

    with pytest.raises(StorageError):
        await writer.sync()
    with pytest.raises(StorageError):
        await writer.publish()
    await writer.close()


async def test_closing_never_raises(storage: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = storage.writer(an_upload())
    await writer.write([DATA])
    real = os.close

    def close(fd: int) -> None:
        real(fd)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "close", close)
        await writer.close()

    assert await storage.size(an_upload(offset=10)) == 10


@pytest.mark.parametrize("run", ["boot/run", ""])
async def test_the_bytes_are_synced_after_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    storage = FileStorage(tmp_path)
    await storage.start(durable=True)
    synced: list[tuple[int, int]] = []

    def fsync(fd: int) -> None:
        status = os.fstat(fd)
        synced.append((status.st_ino, status.st_size))

    monkeypatch.setattr(os, "fsync", fsync)
    writer = storage.writer(an_upload(run=run))
    await writer.publish([DATA])
    writer.recorded()
    await writer.close()

    file = await asyncio.to_thread((storage.files / "finished" / "one").stat)
    assert (file.st_ino, len(DATA)) in synced
    await storage.close()


@pytest.mark.parametrize("path", [None, "a/b/c"])
async def test_every_new_name_is_made_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str | None
) -> None:
    storage = FileStorage(tmp_path / "root")
    await storage.start(durable=True)
    synced: list[str] = []
    monkeypatch.setattr(folders, "sync_folder", synced.append)
    writer = storage.writer(an_upload(path=path))
    await writer.write([DATA])
    await writer.publish()
    await writer.close()

    new = await asyncio.to_thread(lambda: [*storage.root.rglob("*")])
    assert {str(found.parent) for found in new} - {str(storage.root)} <= set(synced)


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="The platform has no such call.")
async def test_a_long_file_is_on_its_way_to_the_disk_before_it_is_synced(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    advised: list[tuple[int, int]] = []

    def fadvise(_: int, offset: int, size: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_DONTNEED
        advised.append((offset, size))
        raise OSError(errno.EINVAL, "It is advice only.")

    monkeypatch.setattr(os, "posix_fadvise", fadvise)
    writer = storage.writer(an_upload(length=20 * MIB))
    for _ in range(10):
        await writer.write([bytes(2 * MIB)])
    await writer.truncate(10 * MIB)
    await writer.write([bytes(8 * MIB)])
    await writer.close()

    expected = [(0, 8 * MIB), (8 * MIB, 8 * MIB), (10 * MIB, 8 * MIB)]
    assert (expected if storage._folders.durable else []) == advised


async def test_without_durability_nothing_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    storage = FileStorage(tmp_path / "root")
    await storage.start(durable=False)
    await store(storage, an_upload(), DATA)
    await publish(storage, an_upload(offset=10))

    assert await stored(storage, an_upload(offset=10, finished_at=CREATED_AT)) == DATA


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK])
async def test_without_hard_links_files_are_renamed(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def link(source: str, _: str) -> None:
        # The system looks the source up before it finds that it has no links.
        raise OSError(code if Path(source).exists() else errno.ENOENT, "no links")

    monkeypatch.setattr(os, "link", link)
    await store(storage, an_upload(), DATA)
    writer = storage.writer(an_upload(offset=10))
    await writer.publish()
    await writer.publish()
    await writer.close()

    assert await stored(storage, an_upload(offset=10, finished_at=CREATED_AT)) == DATA


async def test_without_hard_links_a_foreign_file_is_not_replaced_either(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    foreign = storage.files / "finished" / "one"
    await asyncio.to_thread(foreign.parent.mkdir, parents=True)
    await asyncio.to_thread(foreign.write_bytes, b"foreign")
    await store(storage, an_upload(), DATA)

    with pytest.raises(StorageError):
        await publish(storage, an_upload(offset=10))

    assert await asyncio.to_thread(foreign.read_bytes) == b"foreign"


async def test_a_link_that_fails_otherwise_is_an_error(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EIO))
    await store(storage, an_upload(), DATA)

    with pytest.raises(StorageError):
        await publish(storage, an_upload(offset=10))

    assert await stored(storage, an_upload(offset=10)) == DATA


async def compose(storage: FileStorage) -> bytes:
    data = bytes(range(256)) * 10_000
    await store(storage, a_part("p", data), data)
    size = await storage.compose(a_final("final"), [a_part("p", data), a_part("p", data)])
    return await stored(storage, a_final("final", offset=size))


COMPOSED = bytes(range(256)) * 20_000


@pytest.mark.skipif(not hasattr(os, "copy_file_range"), reason="The platform has no such call.")
async def test_parts_are_copied_inside_the_kernel(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[int] = []
    real = os.copy_file_range

    def copy(source: int, target: int, count: int, *, offset_dst: int) -> int:
        copied.append(real(source, target, min(count, 999_999), offset_dst=offset_dst))
        return copied[-1]

    monkeypatch.setattr(os, "copy_file_range", copy)

    assert await compose(storage) == COMPOSED
    assert sum(copied) == len(COMPOSED)


@pytest.mark.parametrize("code", [errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
async def test_parts_are_copied_by_hand_where_the_kernel_cannot(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "copy_file_range", failing(code), raising=False)

    assert await compose(storage) == COMPOSED


async def test_parts_are_copied_by_hand_where_there_is_no_call(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "copy_file_range", raising=False)

    assert await compose(storage) == COMPOSED


async def test_a_copy_that_found_no_room_can_be_repeated(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "copy_file_range", failing(errno.ENOSPC), raising=False)
        with pytest.raises(StorageFull):
            await compose(storage)

    assert await compose(storage) == COMPOSED


async def test_a_part_that_is_gone_is_an_error(storage: FileStorage) -> None:
    with pytest.raises(StorageError):
        await storage.compose(a_final("final"), [a_part("nobody", DATA)])


async def test_reading_what_is_gone_is_an_error(storage: FileStorage) -> None:
    with pytest.raises(StorageError):
        await stored(storage, an_upload(offset=10))


@pytest.mark.parametrize("by_scope", [False, True], ids=["task", "cancel scope"])
async def test_a_write_that_is_cancelled_has_ended_before_its_file_is_closed(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, by_scope: bool
) -> None:
    """Otherwise it could go on writing to whatever gets the descriptor's number next."""
    entered, leave = asyncio.Event(), threading.Event()
    loop, real = asyncio.get_running_loop(), os.pwritev

    def pwritev(fd: int, buffers: Sequence[Any], offset: int) -> int:
        loop.call_soon_threadsafe(entered.set)
        leave.wait(30)
        return real(fd, buffers, offset)

    monkeypatch.setattr(os, "pwritev", pwritev)
    writer = storage.writer(an_upload())
    scope = anyio.CancelScope()

    async def write_and_close() -> None:
        with scope:
            try:
                await writer.write([DATA])
            finally:
                with anyio.CancelScope(shield=True):
                    await writer.close()

    task = asyncio.create_task(write_and_close())
    await entered.wait()
    (scope if by_scope else task).cancel()
    for _ in range(20):
        await asyncio.sleep(0)
    waited = not task.done() and writer._fd is not None
    leave.set()
    await asyncio.wait((task,))

    assert waited
    assert await stored(storage, an_upload(offset=10)) == DATA


async def test_who_reads_does_not_wait_for_those_who_write(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(storage, an_upload(), DATA)
    entered, leave = asyncio.Event(), threading.Event()
    loop, real = asyncio.get_running_loop(), os.pwritev

    def pwritev(fd: int, buffers: Sequence[Any], offset: int) -> int:
        loop.call_soon_threadsafe(entered.set)
        leave.wait(30)
        return real(fd, buffers, offset)

    monkeypatch.setattr(os, "pwritev", pwritev)
    writers = [storage.writer(an_upload(f"slow{number}")) for number in range(8)]
    writing = [asyncio.create_task(writer.write([DATA])) for writer in writers]
    try:
        # More of them than there are threads are under way.
        await entered.wait()
        async with asyncio.timeout(10):
            assert await stored(storage, an_upload(offset=10)) == DATA
        assert not any(task.done() for task in writing)
    finally:
        leave.set()
        await asyncio.gather(*writing)
        for writer in writers:
            await writer.close()


async def test_a_folder_that_cannot_be_listed_is_a_failure_of_the_storage(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "scandir", failing(errno.EIO))

    with pytest.raises(StorageError):
        await working(storage)
