"""What every storage promises."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tusd_py.errors import StorageDamaged
from tusd_py.protocol.upload import Upload
from tusd_py.storage import Storage

from .uploads import an_upload

DATA = b"0123456789"


async def store(storage: Storage, upload: Upload, data: bytes) -> None:
    """Write all bytes of an upload."""
    writer = storage.writer(upload._replace(offset=0))
    try:
        await writer.write([data])
        await writer.sync()
    finally:
        await writer.close()


async def stored(storage: Storage, upload: Upload) -> bytes:
    """All bytes of an upload."""
    return b"".join([piece async for piece in storage.read(upload)])


async def publish(storage: Storage, upload: Upload) -> None:
    """Publish an upload whose bytes are there."""
    writer = storage.writer(upload)
    try:
        await writer.publish()
    finally:
        await writer.close()


class StorageFixtures:
    """What the contracts of storages start from. Override ``storage``."""

    @pytest.fixture
    def storage(self) -> Storage:
        """A new storage with nothing in it, not started."""
        raise NotImplementedError("Override the fixture 'storage'.")

    @pytest.fixture(params=[True, False], ids=["durable", "not durable"])
    async def started(
        self, storage: Storage, request: pytest.FixtureRequest
    ) -> AsyncIterator[Storage]:
        """The storage, started, and closed after the test."""
        await storage.start(durable=request.param)
        yield storage
        await storage.close()


@pytest.mark.anyio
class StorageContract(StorageFixtures):
    """The promises of ``tusd_py.storage.Storage`` but for publishing and deleting.

    Derive from it and override ``storage``; ``persistent`` tells whether bytes outlive ``close``.
    """

    persistent = True

    async def test_an_upload_without_bytes_has_size_zero(self, started: Storage) -> None:
        assert await started.size(an_upload()) == 0

    async def test_an_upload_without_bytes_reads_as_empty(self, started: Storage) -> None:
        assert await stored(started, an_upload()) == b""

    async def test_what_is_written_is_read(self, started: Storage) -> None:
        await store(started, an_upload(), DATA)

        assert await stored(started, an_upload(offset=10)) == DATA
        assert await started.size(an_upload(offset=10)) == 10

    async def test_a_batch_is_written_in_order(self, started: Storage) -> None:
        writer = started.writer(an_upload())
        await writer.write([b"01", b"", b"234"])
        await writer.write([b"56789"])
        await writer.close()

        assert await stored(started, an_upload()) == DATA

    async def test_a_batch_can_have_thousands_of_chunks(self, started: Storage) -> None:
        chunks = [bytes([number % 256]) for number in range(3000)]
        writer = started.writer(an_upload(length=3000))
        await writer.write(chunks)
        await writer.close()

        assert await stored(started, an_upload(length=3000)) == b"".join(chunks)

    async def test_the_offset_moves_past_what_was_written(self, started: Storage) -> None:
        writer = started.writer(an_upload())
        before = writer.offset
        await writer.write([b"012", b"3"])
        after = writer.offset
        await writer.close()

        assert (before, after) == (0, 4)

    async def test_writing_goes_on_at_the_offset(self, started: Storage) -> None:
        await store(started, an_upload(), DATA[:4])

        writer = started.writer(an_upload(offset=4))
        before = writer.offset
        await writer.write([DATA[4:]])
        await writer.close()

        assert before == 4
        assert await stored(started, an_upload()) == DATA

    async def test_opening_throws_away_what_lies_beyond_the_offset(self, started: Storage) -> None:
        await store(started, an_upload(), b"0123xxxxxx")

        writer = started.writer(an_upload(offset=4))
        await writer.write([b"45"])
        await writer.close()

        assert await stored(started, an_upload()) == b"012345"

    async def test_a_sync_alone_throws_it_away_too(self, started: Storage) -> None:
        await store(started, an_upload(), b"0123xxxxxx")

        writer = started.writer(an_upload(offset=4))
        await writer.truncate(4)
        await writer.sync()
        await writer.close()

        assert await started.size(an_upload(offset=4)) == 4

    async def test_a_writer_that_is_not_used_changes_nothing(self, started: Storage) -> None:
        await store(started, an_upload(), DATA)

        writer = started.writer(an_upload(offset=4))
        await writer.close()

        assert await started.size(an_upload(offset=4)) == 10

    @pytest.mark.parametrize("there", [0, 3])
    async def test_fewer_bytes_than_the_offset_are_damage(
        self, started: Storage, there: int
    ) -> None:
        if there:
            await store(started, an_upload(), DATA[:there])

        writer = started.writer(an_upload(offset=4))
        with pytest.raises(StorageDamaged) as raised:
            await writer.write([b"45"])
        await writer.close()

        assert (raised.value.recorded, raised.value.stored) == (4, there)

    async def test_damage_is_never_written_over(self, started: Storage) -> None:
        await store(started, an_upload(), DATA[:3])

        writer = started.writer(an_upload(offset=4))
        for _ in range(2):
            with pytest.raises(StorageDamaged):
                await writer.write([b"45"])
        await writer.close()

        assert await stored(started, an_upload()) == DATA[:3]

    async def test_truncating_goes_back(self, started: Storage) -> None:
        writer = started.writer(an_upload())
        await writer.write([b"0123xx"])
        await writer.truncate(4)
        after = writer.offset
        await writer.write([b"456789"])
        await writer.close()

        assert after == 4
        assert await stored(started, an_upload()) == DATA

    async def test_syncing_keeps_the_bytes(self, started: Storage) -> None:
        writer = started.writer(an_upload())
        await writer.write([DATA[:4]])
        await writer.sync()
        await writer.sync()
        await writer.write([DATA[4:]])
        await writer.sync()
        await writer.close()

        assert await stored(started, an_upload()) == DATA

    async def test_closing_twice_does_no_harm(self, started: Storage) -> None:
        writer = started.writer(an_upload())
        await writer.write([DATA])
        await writer.close()
        await writer.close()

        assert await started.size(an_upload()) == 10

    async def test_uploads_do_not_share_bytes(self, started: Storage) -> None:
        await store(started, an_upload("one"), b"1")
        await store(started, an_upload("two"), b"22")

        assert await stored(started, an_upload("one")) == b"1"
        assert await stored(started, an_upload("two")) == b"22"

    async def test_large_uploads_come_in_pieces(self, started: Storage) -> None:
        data = bytes(range(256)) * 20_000
        upload = an_upload(length=len(data))
        await store(started, upload, data)

        pieces = [piece async for piece in started.read(upload._replace(offset=len(data)))]

        assert b"".join(pieces) == data
        assert max(map(len, pieces)) <= 4 * 1024 * 1024
        assert len(pieces) > 1

    @pytest.mark.parametrize(
        ("start", "count"), [(0, 1), (0, 200_000), (100_000, 300_000), (511_999, 1), (5, None)]
    )
    async def test_a_part_can_be_read(
        self, started: Storage, start: int, count: int | None
    ) -> None:
        data = bytes(range(256)) * 2000
        upload = an_upload(length=len(data), offset=len(data))
        await store(started, upload, data)

        pieces = [piece async for piece in started.read(upload, start, count)]

        assert b"".join(pieces) == data[start:][:count]
        assert max(map(len, pieces)) <= 4 * 1024 * 1024

    async def test_pieces_are_no_longer_than_asked_for(self, started: Storage) -> None:
        data = bytes(range(256)) * 1000
        upload = an_upload(length=len(data), offset=len(data))
        await store(started, upload, data)
        sizes = iter([1, 100_000, 7, *[50_000] * 10])

        pieces = [piece async for piece in started.read(upload, 10, 200_000, lambda: next(sizes))]

        assert b"".join(pieces) == data[10:200_010]
        wanted = [1, 100_000, 7, *[50_000] * 10]
        assert all(len(piece) <= size for piece, size in zip(pieces, wanted, strict=False))

    async def test_reading_can_be_given_up(self, started: Storage) -> None:
        data = bytes(5_000_000)
        await store(started, an_upload(length=len(data)), data)

        pieces = started.read(an_upload(length=len(data), offset=len(data)))
        await anext(pieces)
        await pieces.aclose()

        assert await started.size(an_upload(length=len(data))) == len(data)

    async def test_a_place_is_relative_and_stable(self, started: Storage) -> None:
        upload = an_upload(path=None)

        place = started.place(upload)

        assert started.place(upload) == place
        assert all(name not in ("", ".", "..") for name in place.split("/"))

    async def test_a_place_that_was_chosen_is_kept(self, started: Storage) -> None:
        assert started.place(an_upload(path="a/b.txt")) == "a/b.txt"

    async def test_places_differ(self, started: Storage) -> None:
        one, two = an_upload("one", path=None), an_upload("two", path=None)

        assert started.place(one) != started.place(two)

    async def test_room_is_a_number_or_unknown(self, started: Storage) -> None:
        room = await started.free()

        assert room is None or room >= 0

    def test_it_works_in_one_event_loop_after_another(self, storage: Storage) -> None:
        async def write() -> None:
            await storage.start(durable=False)
            await store(storage, an_upload(), DATA)

        async def read() -> bytes:
            await storage.start(durable=False)
            data = await stored(storage, an_upload(offset=10))
            await storage.close()
            return data

        asyncio.run(write())

        assert asyncio.run(read()) == DATA

    async def test_bytes_outlive_closing(self, storage: Storage) -> None:
        if not self.persistent:
            pytest.skip("Nothing is kept.")
        await storage.start(durable=True)
        await store(storage, an_upload(), DATA)
        await storage.close()

        await storage.start(durable=True)

        assert await stored(storage, an_upload(offset=10)) == DATA
        await storage.close()
