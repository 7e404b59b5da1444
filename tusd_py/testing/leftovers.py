"""What every storage promises to those who clean up after a process that died."""

import pytest

from tusd_py.protocol.upload import Upload, UploadId
from tusd_py.storage import Storage

from .storage import DATA, StorageFixtures, publish, store, stored
from .uploads import CREATED_AT, a_part, an_upload

FINISHED = an_upload(offset=10, finished_at=CREATED_AT)


async def publish_unrecorded(storage: Storage, upload: Upload, *, recorded: bool = False) -> None:
    """Write and publish an upload that has no record yet, and perhaps tell that it has one now."""
    writer = storage.writer(upload._replace(run=""))
    await writer.publish([DATA])
    if recorded:
        writer.recorded()
    await writer.close()


async def working(storage: Storage) -> list[str]:
    """All that ``working`` lists."""
    return sorted([name async for batch in storage.working() for name in batch])


async def published(storage: Storage) -> list[str]:
    """All that ``published`` lists."""
    return sorted([path async for batch in storage.published() for path in batch])


@pytest.mark.anyio
class LeftoversContract(StorageFixtures):
    """The promises of ``working``, ``published``, ``tidy``, ``discard`` and ``recorded``.

    Override ``storage``.
    """

    async def test_nothing_is_listed_of_nothing(self, started: Storage) -> None:
        assert (await working(started), await published(started)) == ([], [])

    async def test_uploads_are_listed_where_they_are(self, started: Storage) -> None:
        await store(started, an_upload("unfinished"), DATA)
        await store(started, a_part("part", DATA), DATA)
        await store(started, an_upload("whole"), DATA)
        await publish(started, an_upload("whole", offset=10))

        assert await working(started) == ["part", "unfinished"]
        assert await published(started) == ["finished/whole"]

    async def test_more_than_a_batch_is_listed(self, started: Storage) -> None:
        names = [f"upload-{number:03d}" for number in range(300)]
        for name in names:
            await store(started, an_upload(name), b"x")

        assert await working(started) == names

    async def test_what_was_published_before_its_record_is_in_both_lists(
        self, started: Storage
    ) -> None:
        await publish_unrecorded(started, an_upload())

        assert await working(started) == ["one"]
        assert await published(started) == ["finished/one"]

    async def test_once_recorded_it_is_published_alone(self, storage: Storage) -> None:
        await storage.start(durable=True)
        await publish_unrecorded(storage, an_upload(), recorded=True)
        await storage.close()

        await storage.start(durable=True)
        assert await working(storage) == []
        assert await stored(storage, FINISHED) == DATA
        await storage.close()

    async def test_what_was_never_recorded_is_discarded_wherever_it_is(
        self, started: Storage
    ) -> None:
        await publish_unrecorded(started, an_upload())
        await store(started, an_upload("two"), DATA)
        await store(started, an_upload("three"), DATA)
        await publish(started, an_upload("three", offset=10))

        await started.discard([UploadId("one"), UploadId("two")])

        assert await working(started) == []
        assert await published(started) == ["finished/three"]

    async def test_discarding_nothing_does_no_harm(self, started: Storage) -> None:
        await store(started, an_upload(), DATA)

        await started.discard([])
        await started.discard([UploadId("unknown")])

        assert await working(started) == ["one"]

    async def test_a_finished_upload_is_tidied_once(self, started: Storage) -> None:
        await publish_unrecorded(started, an_upload())

        assert [await started.tidy(FINISHED) for _ in range(2)] == [True, False]

        assert await working(started) == []
        assert await stored(started, FINISHED) == DATA

    async def test_deleting_leaves_nothing_of_it(self, started: Storage) -> None:
        await publish_unrecorded(started, an_upload())

        await started.delete(an_upload(run=""))

        assert (await working(started), await published(started)) == ([], [])

    async def test_deleting_after_the_record_leaves_nothing_either(self, started: Storage) -> None:
        await publish_unrecorded(started, an_upload(), recorded=True)

        await started.delete(FINISHED)

        assert (await working(started), await published(started)) == ([], [])
