"""What every storage promises whose uploads are files of this machine."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from tusd_py.errors import StorageError
from tusd_py.storage import FileBacked, OpenFile, Storage

from .storage import DATA, publish, store
from .uploads import CREATED_AT, an_upload


class FileBackedStorage(Storage, FileBacked, Protocol):
    """A storage whose uploads are files."""


@pytest.mark.anyio
class FileBackedContract:
    """The promises of ``tusd_py.storage.FileBacked``. Override ``storage``."""

    @pytest.fixture
    def storage(self) -> FileBackedStorage:
        """A new storage with nothing in it, not started."""
        raise NotImplementedError("Override the fixture 'storage'.")

    @pytest.fixture
    async def started(self, storage: FileBackedStorage) -> AsyncIterator[FileBackedStorage]:
        """The storage, ready."""
        await storage.start(durable=True)
        yield storage
        await storage.close()

    async def test_it_says_that_its_uploads_are_files(self, started: FileBackedStorage) -> None:
        assert isinstance(started, FileBacked)

    async def test_a_finished_upload_is_a_file_at_its_start(
        self, started: FileBackedStorage
    ) -> None:
        await store(started, an_upload(), DATA)
        await publish(started, an_upload(offset=len(DATA)))

        finished = an_upload(offset=len(DATA), finished_at=CREATED_AT)
        assert await _content(await started.open(finished)) == DATA

    async def test_an_unfinished_upload_is_a_file_too(self, started: FileBackedStorage) -> None:
        await store(started, an_upload(), DATA)

        assert await _content(await started.open(an_upload(offset=len(DATA)))) == DATA

    async def test_each_who_opens_it_has_a_file_of_their_own(
        self, started: FileBackedStorage
    ) -> None:
        await store(started, an_upload(), DATA)
        one = await started.open(an_upload(offset=len(DATA)))
        other = await started.open(an_upload(offset=len(DATA)))

        assert await _content(one) == DATA
        assert await _content(other) == DATA

    async def test_an_upload_without_bytes_is_empty(self, started: FileBackedStorage) -> None:
        file = await started.open(an_upload())

        assert file is None or await _content(file) == b""

    async def test_bytes_that_are_gone_are_an_error(self, started: FileBackedStorage) -> None:
        with pytest.raises(StorageError):
            await started.open(an_upload(offset=len(DATA)))

    async def test_it_tells_its_path(self, started: FileBackedStorage) -> None:
        await store(started, an_upload(), DATA)
        file = await started.open(an_upload(offset=len(DATA)))
        assert file is not None
        await file.close()

        assert os.path.isabs(file.path)  # noqa: PTH117
        assert await asyncio.to_thread(Path(file.path).read_bytes) == DATA

    async def test_it_is_closed_once(self, started: FileBackedStorage) -> None:
        await store(started, an_upload(), DATA)
        file = await started.open(an_upload(offset=len(DATA)))
        assert file is not None
        descriptor = file.fileno()

        await file.close()
        await file.close()

        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)

    async def test_who_is_cancelled_leaves_no_file_open(self, started: FileBackedStorage) -> None:
        await store(started, an_upload(), DATA)
        before = await _open_descriptors()

        for turns in range(5):
            opening = asyncio.ensure_future(started.open(an_upload(offset=len(DATA))))
            for _ in range(turns):
                await asyncio.sleep(0)
            opening.cancel()
            with suppress(asyncio.CancelledError):
                file = await opening
                assert file is not None
                await file.close()

        assert await _open_descriptors() == before


async def _content(file: OpenFile | None) -> bytes:
    assert file is not None
    try:
        return await asyncio.to_thread(os.read, file.fileno(), 2 * len(DATA))
    finally:
        await file.close()


async def _open_descriptors() -> int:
    return len(await asyncio.to_thread(os.listdir, "/dev/fd"))
