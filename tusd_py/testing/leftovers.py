"""What every storage promises to those who clean up after a process that died."""

from collections.abc import Collection

import pytest

from tusd_py.protocol.upload import Upload
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


class Records:
    """Paths that somebody's record leads to.

    Attributes:
        asked: The paths that ``reclaim`` wanted to know of.
    """

    def __init__(self, *paths: str) -> None:
        self._paths = {*paths}
        self.asked: list[str] = []

    async def __call__(self, paths: Collection[str]) -> Collection[str]:
        self.asked += paths
        return self._paths.intersection(paths)


@pytest.mark.anyio
class LeftoversContract(StorageFixtures):
    """The promises of ``working``, ``published``, ``recorded`` and ``reclaim``.

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

    async def test_what_was_published_before_its_record_is_published_alone(
        self, started: Storage
    ) -> None:
        await publish_unrecorded(started, an_upload())

        assert (await working(started), await published(started)) == ([], ["finished/one"])
        assert await stored(started, FINISHED) == DATA

    async def test_it_is_left_while_its_process_lives(self, started: Storage) -> None:
        await publish_unrecorded(started, an_upload())

        assert await started.reclaim(Records()) == 0

        assert await published(started) == ["finished/one"]

    async def test_it_goes_when_its_process_has_ended(self, started: Storage) -> None:
        await publish_unrecorded(started, an_upload())
        await started.close()
        await started.start(durable=True)

        assert [await started.reclaim(Records()) for _ in range(2)] == [1, 0]

        assert await published(started) == []

    async def test_it_stays_if_it_was_recorded_after_all(self, started: Storage) -> None:
        await publish_unrecorded(started, an_upload("one"))
        await publish_unrecorded(started, an_upload("two"))
        await started.close()
        await started.start(durable=True)

        assert await started.reclaim(Records("finished/two")) == 1

        assert await published(started) == ["finished/two"]

    async def test_nobody_asks_for_what_is_known_to_be_recorded(self, started: Storage) -> None:
        await publish_unrecorded(started, an_upload(), recorded=True)
        await started.close()
        await started.start(durable=True)
        records = Records()

        assert await started.reclaim(records) == 0

        assert records.asked == []
        assert await stored(started, FINISHED) == DATA

    async def test_deleting_leaves_nothing_of_it(self, started: Storage) -> None:
        await publish_unrecorded(started, an_upload())

        await started.delete(an_upload(run=""))

        assert (await working(started), await published(started)) == ([], [])

    async def test_deleting_after_the_record_leaves_nothing_either(self, started: Storage) -> None:
        await publish_unrecorded(started, an_upload(), recorded=True)

        await started.delete(FINISHED)

        assert (await working(started), await published(started)) == ([], [])
