"""Files that take their bytes from a socket."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tusd_py.errors import StorageDamaged
from tusd_py.quantities import MiB
from tusd_py.storage import Writer
from tusd_py.storage.filesystem import FileStorage
from tusd_py.streaming import DirectSink
from tusd_py.streaming.inlet import Inlet
from tusd_py.testing.storage import store, stored
from tusd_py.testing.uploads import an_upload


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[FileStorage]:
    storage = FileStorage(tmp_path / "root")
    await storage.start(durable=True)
    yield storage
    await storage.close()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The client's end of a connection, and ours."""
    theirs, ours = socket.socketpair()
    with theirs, ours:
        yield theirs, ours


Ends = tuple[socket.socket, socket.socket]


async def take(writer: Writer, ends: Ends, data: bytes) -> Inlet:
    """Have a writer take bytes that are on their way."""
    assert isinstance(writer, DirectSink)
    inlet = Inlet(ends[1].fileno(), len(data))
    sending = asyncio.create_task(asyncio.to_thread(ends[0].sendall, data))
    while inlet.left:
        await asyncio.to_thread(writer.take, inlet, len(data))
    await sending
    return inlet


async def test_what_is_taken_goes_behind_what_was_written(storage: FileStorage, ends: Ends) -> None:
    upload = an_upload(length=10)
    writer = storage.writer(upload)
    await writer.write([b"0123"])
    await take(writer, ends, b"45")
    await writer.write([b"6"])
    await take(writer, ends, b"789")
    await writer.publish()

    assert b"0123456789" == await stored(storage, upload._replace(offset=10))


async def test_what_lies_beyond_the_offset_is_thrown_away_before(
    storage: FileStorage, ends: Ends
) -> None:
    upload = an_upload(length=10)
    await store(storage, upload, b"0123xxxxxxxxx")
    writer = storage.writer(upload._replace(offset=4))
    await take(writer, ends, b"45")
    await writer.close()

    assert 6 == await storage.size(upload)


async def test_of_damage_one_hears_before_a_byte_is_read(storage: FileStorage, ends: Ends) -> None:
    upload = an_upload(length=10)
    await store(storage, upload, b"012")
    writer = storage.writer(upload._replace(offset=4))
    with pytest.raises(StorageDamaged):
        await take(writer, ends, b"45")
    await writer.close()

    assert b"45" == ends[1].recv(10)


async def test_what_is_taken_is_synced_each_time(
    storage: FileStorage, ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def fsync(fd: int) -> None:
        synced.append(os.fstat(fd).st_size)

    writer = storage.writer(an_upload(length=10))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        for data in (b"0123", b"456"):
            await take(writer, ends, data)
            await writer.sync()
            await writer.sync()
    await writer.close()

    assert [4, 7] == [size for size in synced if size in (4, 7)]


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="The platform has no such call.")
async def test_a_long_file_is_on_its_way_to_the_disk_before_it_is_synced(
    storage: FileStorage, ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    advised: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _fd, *span: advised.append(span[:2]))
    writer = storage.writer(an_upload(length=20 * MiB))
    await take(writer, ends, bytes(20 * MiB))
    await writer.close()

    assert 2 <= len(advised)
    assert [sum(size for _, size in advised[:index]) for index in range(len(advised))] == [
        offset for offset, _ in advised
    ]


async def test_what_is_taken_can_be_read_back(storage: FileStorage, ends: Ends) -> None:
    upload = an_upload(length=10)
    writer = storage.writer(upload)
    assert isinstance(writer, DirectSink)
    await writer.write([b"0123"])
    await take(writer, ends, b"456789")

    assert b"3456" == await asyncio.to_thread(writer.read_back, 3, 4)
    assert b"89" == await asyncio.to_thread(writer.read_back, 8, 4)
    await writer.close()


async def test_what_somebody_cut_cannot_be_read_back(storage: FileStorage, ends: Ends) -> None:
    upload = an_upload(length=10)
    writer = storage.writer(upload)
    assert isinstance(writer, DirectSink)
    await take(writer, ends, b"0123456789")
    [file] = [path for path in storage.uploads.rglob("*") if path.is_file()]
    os.truncate(file, 4)
    with pytest.raises(StorageDamaged):
        await asyncio.to_thread(writer.read_back, 4, 1)
    await writer.close()


async def test_nothing_is_taken_behind_what_somebody_cut(storage: FileStorage, ends: Ends) -> None:
    upload = an_upload(length=10)
    writer = storage.writer(upload)
    await take(writer, ends, b"012345")
    [file] = [path for path in storage.uploads.rglob("*") if path.is_file()]
    os.truncate(file, 4)
    with pytest.raises(StorageDamaged):
        await take(writer, ends, b"6789")
    await writer.close()
