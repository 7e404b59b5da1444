"""What every metadata store promises of single uploads and of events."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tusd_py.errors import UploadExists, UploadNotFound
from tusd_py.metadata import Event, Metadata
from tusd_py.protocol.upload import Kind, Upload, UploadId

from .uploads import CREATED_AT, a_final, an_upload

EVERYTHING = an_upload(
    "everything",
    kind=Kind.FINAL,
    length=2**63 - 1,
    offset=2**62,
    max_length=2**63 - 1,
    metadata="filename d29ybGQ=,empty",
    concat="final;/files/a /files/b",
    parts=(UploadId("a"), UploadId("b")),
    subject="Jürgen\N{SNOWMAN}",
    created_at=CREATED_AT + 0.25,
    lifetime=3600.5,
    expires_at=CREATED_AT + 3600.75,
    finished_at=CREATED_AT + 1.5,
    path="folder/naïve name.txt",
    run="boot/run",
    verifying=True,
    fresh=True,
    key_id="k1",
)


@pytest.mark.anyio
class MetadataContract:
    """The promises of ``tusd_py.metadata.Metadata`` but for its lists.

    Derive from it and override ``metadata``; ``persistent`` tells whether facts outlive ``close``.
    """

    persistent = True

    @pytest.fixture
    def metadata(self) -> Metadata:
        """A new store with nothing in it, not started."""
        raise NotImplementedError("Override the fixture 'metadata'.")

    @pytest.fixture(params=[True, False], ids=["durable", "not durable"])
    async def started(
        self, metadata: Metadata, request: pytest.FixtureRequest
    ) -> AsyncIterator[Metadata]:
        """The store, started, and closed after the test."""
        await metadata.start(durable=request.param)
        yield metadata
        await metadata.close()

    async def test_what_was_created_is_had(self, started: Metadata) -> None:
        await started.create(an_upload())

        assert await started.get(UploadId("one")) == an_upload()

    async def test_every_fact_is_kept(self, started: Metadata) -> None:
        await started.create(EVERYTHING)

        assert await started.get(EVERYTHING.id) == EVERYTHING

    async def test_facts_that_are_not_there_are_kept_too(self, started: Metadata) -> None:
        bare = an_upload(length=None, path=None)
        await started.create(bare)

        assert await started.get(bare.id) == bare

    async def test_an_unknown_upload_is_not_found(self, started: Metadata) -> None:
        with pytest.raises(UploadNotFound) as raised:
            await started.get(UploadId("nobody"))

        assert raised.value.upload_id == "nobody"

    async def test_ids_are_told_apart_by_case(self, started: Metadata) -> None:
        await started.create(an_upload("id", length=1))
        await started.create(an_upload("ID", length=2))

        assert (await started.get(UploadId("id"))).length == 1
        assert (await started.get(UploadId("ID"))).length == 2

    async def test_an_id_is_taken_once(self, started: Metadata) -> None:
        await started.create(an_upload())

        with pytest.raises(UploadExists) as raised:
            await started.create(an_upload(length=20, path="elsewhere"))

        assert raised.value.upload_id == "one"
        assert await started.get(UploadId("one")) == an_upload()

    async def test_a_path_is_taken_once(self, started: Metadata) -> None:
        await started.create(an_upload("one", path="same"))

        with pytest.raises(UploadExists):
            await started.create(an_upload("two", path="same"))
        with pytest.raises(UploadNotFound):
            await started.get(UploadId("two"))

    async def test_any_number_of_uploads_has_no_path(self, started: Metadata) -> None:
        await started.create(an_upload("one", path=None))
        await started.create(an_upload("two", path=None))

        assert (await started.get(UploadId("two"))).path is None

    async def test_a_final_upload_of_the_same_parts_exists_once(self, started: Metadata) -> None:
        await started.create(a_final("first", "a", "b", metadata="k dg==", subject="me"))

        with pytest.raises(UploadExists):
            await started.create(a_final("second", "a", "b", metadata="k dg==", subject="me"))

    @pytest.mark.parametrize(
        "other",
        [
            a_final("other", "b", "a"),
            a_final("other", "a"),
            a_final("other", "a", "b", metadata="k dg=="),
            a_final("other", "a", "b", subject="me"),
        ],
        ids=["order", "parts", "metadata", "subject"],
    )
    async def test_a_final_upload_that_differs_is_another(
        self, started: Metadata, other: Upload
    ) -> None:
        await started.create(a_final("first", "a", "b"))

        await started.create(other)

        assert await started.get(UploadId("other")) == other

    async def test_creating_at_once_lets_one_through(self, started: Metadata) -> None:
        uploads = [an_upload(f"{number}", path="same") for number in range(8)]

        results = await asyncio.gather(*map(started.create, uploads), return_exceptions=True)

        assert results.count(None) == 1
        assert sum(isinstance(result, UploadExists) for result in results) == 7

    async def test_recording_replaces_what_changes(self, started: Metadata) -> None:
        before = an_upload(length=None, path="p", metadata="k dg==", lifetime=60.0)
        after = before._replace(
            length=10,
            offset=10,
            expires_at=CREATED_AT + 60,
            finished_at=CREATED_AT + 2,
            run="boot/later",
            verifying=True,
        )
        await started.create(before)
        await started.create(an_upload("two"))

        await started.record(after)

        assert await started.get(before.id) == after
        assert await started.get(UploadId("two")) == an_upload("two")

    async def test_recording_can_take_facts_back(self, started: Metadata) -> None:
        await started.create(
            an_upload(offset=10, verifying=True, expires_at=1.0, finished_at=CREATED_AT)
        )

        await started.record(an_upload())

        assert await started.get(UploadId("one")) == an_upload()

    async def test_recording_an_unknown_upload_adds_nothing(self, started: Metadata) -> None:
        event = Event(id="e", upload_id=UploadId("one"))

        with pytest.raises(UploadNotFound):
            await started.record(an_upload(), events=[event])

        with pytest.raises(UploadNotFound):
            await started.get(UploadId("one"))
        assert list(await started.events(10)) == []

    async def test_a_deleted_upload_is_gone(self, started: Metadata) -> None:
        await started.create(an_upload())

        await started.delete(UploadId("one"))

        with pytest.raises(UploadNotFound):
            await started.get(UploadId("one"))

    async def test_deleting_gives_the_path_back(self, started: Metadata) -> None:
        await started.create(an_upload("one", path="same"))
        await started.delete(UploadId("one"))

        await started.create(an_upload("two", path="same"))

        assert (await started.get(UploadId("two"))).path == "same"

    async def test_deleting_an_unknown_upload_does_no_harm(self, started: Metadata) -> None:
        await started.create(an_upload())

        await started.delete(UploadId("nobody"))

        assert await started.get(UploadId("one")) == an_upload()

    async def test_deleting_takes_the_events_of_the_upload(self, started: Metadata) -> None:
        other = Event(id="other", upload_id=UploadId("two"))
        await started.create(an_upload("one"))
        await started.create(an_upload("two"))
        await started.record(an_upload("one"), events=[Event(id="e", upload_id=UploadId("one"))])
        await started.record(an_upload("two"), events=[other])

        await started.delete(UploadId("one"))

        assert list(await started.events(10)) == [other]

    async def test_an_upload_can_be_created_with_an_event(self, started: Metadata) -> None:
        event = Event(id="e", upload_id=UploadId("one"))

        await started.create(an_upload(), events=[event])

        assert await started.get(UploadId("one")) == an_upload()
        assert list(await started.events(10)) == [event]

    async def test_an_upload_that_is_not_created_leaves_no_event(self, started: Metadata) -> None:
        await started.create(an_upload())

        with pytest.raises(UploadExists):
            await started.create(an_upload(), events=[Event(id="e", upload_id=UploadId("one"))])

        assert list(await started.events(10)) == []

    async def test_events_come_oldest_first(self, started: Metadata) -> None:
        events = [Event(id=name, upload_id=UploadId("one")) for name in ("c", "a", "b")]
        await started.create(an_upload())
        for event in events:
            await started.record(an_upload(), events=[event])

        assert list(await started.events(10)) == events
        assert list(await started.events(2)) == events[:2]

    async def test_a_settled_event_does_not_come_back(self, started: Metadata) -> None:
        events = [Event(id=name, upload_id=UploadId("one")) for name in ("c", "a", "b")]
        await started.create(an_upload())
        for event in events:
            await started.record(an_upload(), events=[event])

        await started.settle("a")

        assert list(await started.events(10)) == [events[0], events[2]]

    def test_it_works_in_one_event_loop_after_another(self, metadata: Metadata) -> None:
        async def first() -> None:
            await metadata.start(durable=False)
            await metadata.create(an_upload("one"))
            await metadata.close()

        async def second() -> object:
            await metadata.start(durable=False)
            await metadata.create(an_upload("two"))
            found = await metadata.get(UploadId("two"))
            await metadata.close()
            return found

        asyncio.run(first())

        assert asyncio.run(second()) == an_upload("two")

    def test_it_works_after_an_event_loop_that_did_not_close_it(self, metadata: Metadata) -> None:
        async def first() -> None:
            await metadata.start(durable=False)
            await metadata.create(an_upload("one"))

        async def second() -> object:
            await metadata.start(durable=False)
            found = await metadata.get(UploadId("one"))
            await metadata.close()
            return found

        asyncio.run(first())

        assert asyncio.run(second()) == an_upload("one")

    async def test_facts_and_events_outlive_closing(self, metadata: Metadata) -> None:
        if not self.persistent:
            pytest.skip("Nothing is kept.")
        event = Event(id="e", upload_id=EVERYTHING.id)
        await metadata.start(durable=True)
        await metadata.create(EVERYTHING)
        await metadata.record(EVERYTHING, events=[event])
        await metadata.close()

        await metadata.start(durable=True)

        assert await metadata.get(EVERYTHING.id) == EVERYTHING
        assert list(await metadata.events(10)) == [event]
        await metadata.close()

    async def test_closing_waits_for_what_is_under_way(self, metadata: Metadata) -> None:
        await metadata.start(durable=True)
        creating = []
        for number in range(10):
            creating.append(asyncio.create_task(metadata.create(an_upload(f"{number}"))))
            await asyncio.sleep(0)

        await metadata.close()

        results = await asyncio.gather(*creating, return_exceptions=True)
        assert results == [None] * 10
