"""What every metadata store promises of its lists of uploads."""

from collections.abc import Iterable
from typing import Any

import pytest

from tusd_py.metadata import Metadata
from tusd_py.protocol.upload import Kind, Upload, UploadId

from .stores import StartedMetadata
from .uploads import CREATED_AT, a_final, an_upload

NOW = CREATED_AT + 100.0


def ids(uploads: Iterable[Upload]) -> list[str]:
    """The ids of uploads, in the order in which they come."""
    return [upload.id for upload in uploads]


@pytest.mark.anyio
class ListingContract(StartedMetadata):
    """The promises of the lists of ``tusd_py.metadata.Metadata``. Override ``metadata``."""

    async def test_nothing_is_listed_of_nothing(self, started: Metadata) -> None:
        assert list(await started.page()) == []
        assert list(await started.expired(NOW, 10)) == []
        assert list(await started.events(10)) == []

    async def test_pages_come_in_the_order_of_ids(self, started: Metadata) -> None:
        for name in ("c", "a", "B", "d"):
            await started.create(an_upload(name))

        assert ids(await started.page()) == ["B", "a", "c", "d"]

    async def test_a_page_has_whole_uploads(self, started: Metadata) -> None:
        await started.create(an_upload(metadata="k dg==", subject="me"))

        assert list(await started.page()) == [an_upload(metadata="k dg==", subject="me")]

    async def test_an_upload_is_found_by_its_path(self, started: Metadata) -> None:
        await started.create(an_upload("a"))
        await started.create(an_upload("b", path=None))

        assert await started.at_path("finished/a") == an_upload("a")
        assert await started.at_path("finished/b") is None

    async def test_unfinished_uploads_are_listed_page_by_page(self, started: Metadata) -> None:
        for name in ("d", "a", "c"):
            await started.create(an_upload(name, offset=10))
        await started.create(an_upload("b", finished_at=NOW))
        await started.create(a_final("e", "d"))
        await started.record(an_upload("c", offset=10, finished_at=NOW))

        first = await started.unfinished(limit=2)
        second = await started.unfinished(limit=2, after=first[-1].id)

        assert [ids(first), ids(second)] == [["a", "d"], ["e"]]

    async def test_pages_follow_one_another(self, started: Metadata) -> None:
        for name in "abcde":
            await started.create(an_upload(name))

        first = await started.page(limit=2)
        second = await started.page(limit=2, after=first[-1].id)
        third = await started.page(limit=2, after=second[-1].id)
        fourth = await started.page(limit=2, after=third[-1].id)

        assert list(map(ids, (first, second, third, fourth))) == [["a", "b"], ["c", "d"], ["e"], []]

    async def test_a_page_follows_an_upload_that_is_gone(self, started: Metadata) -> None:
        await started.create(an_upload("a"))
        await started.create(an_upload("c"))

        assert ids(await started.page(after=UploadId("b"))) == ["c"]

    async def test_a_page_has_at_most_a_hundred_unless_told(self, started: Metadata) -> None:
        for number in range(101):
            await started.create(an_upload(f"{number:03}"))

        assert len(await started.page()) == 100
        assert len(await started.page(limit=101)) == 101

    async def test_a_page_can_be_one_subjects(self, started: Metadata) -> None:
        for name, subject in (("a", "me"), ("b", "you"), ("c", None), ("d", "me"), ("e", "me")):
            await started.create(an_upload(name, subject=subject))

        assert ids(await started.page(subject="me")) == ["a", "d", "e"]
        assert ids(await started.page(subject="me", after=UploadId("a"), limit=1)) == ["d"]

    @pytest.mark.parametrize(
        ("facts", "listed"),
        [
            ({"expires_at": NOW - 1}, True),
            ({"expires_at": NOW}, True),
            ({"expires_at": NOW + 1}, False),
            ({"expires_at": None}, False),
            ({"expires_at": NOW - 1, "finished_at": NOW - 2}, False),
            ({"expires_at": NOW - 1, "finished_at": NOW - 2, "kind": Kind.PARTIAL}, True),
            ({"expires_at": NOW - 1, "finished_at": NOW - 2, "kind": Kind.FINAL}, False),
            ({"expires_at": NOW - 1, "kind": Kind.FINAL}, True),
        ],
    )
    async def test_what_has_expired_is_listed(
        self, started: Metadata, facts: dict[str, Any], listed: bool
    ) -> None:
        upload = an_upload(**facts)
        await started.create(upload)

        assert upload.expired(NOW) is listed
        assert list(await started.expired(NOW, 10)) == ([upload] if listed else [])

    async def test_expiry_is_judged_by_what_was_recorded_last(self, started: Metadata) -> None:
        await started.create(an_upload(expires_at=NOW - 1))
        await started.record(an_upload(expires_at=NOW + 1))

        assert list(await started.expired(NOW, 10)) == []

    async def test_at_most_so_many_expired_ones_are_listed(self, started: Metadata) -> None:
        for name in "abc":
            await started.create(an_upload(name, expires_at=NOW - 1))

        assert len(await started.expired(NOW, 2)) == 2

    async def test_finals_of_a_part_are_those_that_wait_for_it(self, started: Metadata) -> None:
        await started.create(a_final("first", "p", "q"))
        await started.create(a_final("middle", "a", "p", "q"))
        await started.create(a_final("last", "a", "p"))
        await started.create(a_final("other", "pp", "ap", "P"))
        await started.create(a_final("finished", "p", finished_at=NOW))
        await started.create(an_upload("p", kind=Kind.PARTIAL))

        assert sorted(ids(await started.finals_of(UploadId("p")))) == ["first", "last", "middle"]

    async def test_the_same_final_has_the_same_parts(self, started: Metadata) -> None:
        there = a_final("there", "a", "b", metadata="k dg==", subject="me")
        await started.create(there)

        wanted = a_final("wanted", "a", "b", metadata="k dg==", subject="me")
        assert await started.same_final(wanted) == there

    async def test_the_same_final_can_be_nobodys(self, started: Metadata) -> None:
        await started.create(a_final("there", "a"))

        assert await started.same_final(a_final("wanted", "a")) == a_final("there", "a")

    async def test_the_same_final_can_be_finished(self, started: Metadata) -> None:
        there = a_final("there", "a", finished_at=NOW)
        await started.create(there)

        assert await started.same_final(a_final("wanted", "a")) == there

    @pytest.mark.parametrize(
        "wanted",
        [
            a_final("wanted", "b", "a", metadata="k dg==", subject="me"),
            a_final("wanted", "a", metadata="k dg==", subject="me"),
            a_final("wanted", "a", "b", metadata="k", subject="me"),
            a_final("wanted", "a", "b", metadata="k dg==", subject="you"),
            a_final("wanted", "a", "b", metadata="k dg=="),
        ],
        ids=["order", "parts", "metadata", "subject", "nobody"],
    )
    async def test_another_final_is_not_the_same(self, started: Metadata, wanted: Upload) -> None:
        await started.create(a_final("there", "a", "b", metadata="k dg==", subject="me"))

        assert await started.same_final(wanted) is None
