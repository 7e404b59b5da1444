"""What every storage promises of finished uploads, and of removing uploads."""

import pytest

from tusd_py.errors import StorageError
from tusd_py.storage import Storage

from .storage import DATA, StorageFixtures, publish, store, stored
from .uploads import CREATED_AT, an_upload


@pytest.mark.anyio
class PublishingContract(StorageFixtures):
    """The promises of ``publish`` and ``delete``. Override ``storage``."""

    async def test_published_bytes_are_read(self, started: Storage) -> None:
        await store(started, an_upload(), DATA)
        await publish(started, an_upload(offset=10))

        finished = an_upload(offset=10, finished_at=CREATED_AT)
        assert await stored(started, finished) == DATA
        assert await started.size(finished) == 10

    async def test_publishing_syncs_what_was_written(self, started: Storage) -> None:
        writer = started.writer(an_upload())
        await writer.write([DATA])
        await writer.publish()
        await writer.close()

        assert await stored(started, an_upload(offset=10, finished_at=CREATED_AT)) == DATA

    async def test_an_upload_without_bytes_can_be_published(self, started: Storage) -> None:
        await publish(started, an_upload(length=0))

        assert await stored(started, an_upload(length=0, finished_at=CREATED_AT)) == b""

    async def test_an_upload_without_a_path_stays(self, started: Storage) -> None:
        await store(started, an_upload(path=None), DATA)
        await publish(started, an_upload(path=None, offset=10))

        finished = an_upload(path=None, offset=10, finished_at=CREATED_AT)
        assert await stored(started, finished) == DATA

    async def test_publishing_twice_does_no_harm(self, started: Storage) -> None:
        writer = started.writer(an_upload())
        await writer.write([DATA])
        await writer.publish()
        await writer.publish()
        await writer.close()

        assert await stored(started, an_upload(offset=10, finished_at=CREATED_AT)) == DATA

    @pytest.mark.parametrize("size", [10, 0])
    async def test_publishing_can_be_repeated_when_its_end_was_not_recorded(
        self, started: Storage, size: int
    ) -> None:
        unfinished = an_upload(length=size, offset=size)
        await store(started, unfinished, DATA[:size])
        await publish(started, unfinished)

        size_between = await started.size(unfinished)
        await publish(started, unfinished)

        assert size_between == size
        finished = unfinished._replace(finished_at=CREATED_AT)
        assert await stored(started, finished) == DATA[:size]

    async def test_a_published_upload_can_be_cut_while_its_end_is_not_recorded(
        self, started: Storage
    ) -> None:
        await store(started, an_upload(), b"0123xxxxxx")
        await publish(started, an_upload(offset=10))

        writer = started.writer(an_upload(offset=4))
        await writer.write([b"456789"])
        await writer.publish()
        await writer.close()

        assert await stored(started, an_upload(offset=10, finished_at=CREATED_AT)) == DATA

    async def test_writing_nothing_to_a_finished_upload_leaves_it(self, started: Storage) -> None:
        await store(started, an_upload(), DATA)
        await publish(started, an_upload(offset=10))

        finished = an_upload(offset=10, finished_at=CREATED_AT)
        writer = started.writer(finished)
        await writer.write([])
        await writer.sync()
        await writer.close()

        assert await stored(started, finished) == DATA

    async def test_publishing_a_finished_upload_leaves_it(self, started: Storage) -> None:
        await store(started, an_upload(), DATA)
        await publish(started, an_upload(offset=10))

        finished = an_upload(offset=10, finished_at=CREATED_AT)
        await publish(started, finished)

        assert await stored(started, finished) == DATA

    async def test_publishing_never_replaces_another_upload(self, started: Storage) -> None:
        first, second = an_upload("one", path="same"), an_upload("two", path="same")
        await store(started, first, DATA)
        await publish(started, first._replace(offset=10))
        await store(started, second, b"x" * 10)

        with pytest.raises(StorageError):
            await publish(started, second._replace(offset=10))

        assert await stored(started, first._replace(offset=10, finished_at=CREATED_AT)) == DATA

    async def test_deleting_removes_unfinished_bytes(self, started: Storage) -> None:
        await store(started, an_upload(), DATA)

        await started.delete(an_upload(offset=10))

        assert await started.size(an_upload()) == 0

    @pytest.mark.parametrize("finished_at", [None, CREATED_AT])
    async def test_deleting_removes_published_bytes(
        self, started: Storage, finished_at: float | None
    ) -> None:
        await store(started, an_upload(), DATA)
        await publish(started, an_upload(offset=10))

        await started.delete(an_upload(offset=10, finished_at=finished_at))

        assert await started.size(an_upload(finished_at=CREATED_AT)) == 0

    async def test_deleting_makes_room_at_the_path(self, started: Storage) -> None:
        first, second = an_upload("one", path="same"), an_upload("two", path="same")
        await store(started, first, DATA)
        await publish(started, first._replace(offset=10))
        await started.delete(first._replace(offset=10, finished_at=CREATED_AT))

        await store(started, second, DATA)
        await publish(started, second._replace(offset=10))

        assert await started.size(second._replace(offset=10, finished_at=CREATED_AT)) == 10

    async def test_deleting_twice_does_no_harm(self, started: Storage) -> None:
        await store(started, an_upload(), DATA)

        await started.delete(an_upload(offset=10))
        await started.delete(an_upload(offset=10))

        assert await started.size(an_upload()) == 0
