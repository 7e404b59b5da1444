"""What every metadata store promises of the uses of grants."""

import asyncio
from typing import Any

import pytest

from tusd_py.errors import GrantUsed, UploadExists, UploadNotFound
from tusd_py.metadata import Metadata, Use
from tusd_py.protocol.upload import UploadId

from .stores import StartedMetadata
from .uploads import CREATED_AT, an_upload


def a_use(grant: str = "grant", **facts: Any) -> Use:  # noqa: ANN401 - any fact
    """The only use of a grant, unless told otherwise."""
    defaults: dict[str, Any] = {"request": "request", "expires_at": CREATED_AT + 900, "key_id": "k"}
    return Use(grant=grant, **(defaults | facts))


@pytest.mark.anyio
class UsesContract(StartedMetadata):
    """The promises of ``tusd_py.metadata.Metadata`` about grants. Override ``metadata``."""

    async def test_a_grant_is_used_once(self, started: Metadata) -> None:
        await started.check_use(a_use())
        await started.create(an_upload("one"), use=a_use())

        with pytest.raises(GrantUsed):
            await started.create(an_upload("two"), use=a_use(request="another"))

        with pytest.raises(UploadNotFound):
            await started.get(UploadId("two"))
        with pytest.raises(GrantUsed):
            await started.check_use(a_use())
        await started.create(an_upload("three"), use=a_use("another"))

    async def test_of_uses_at_once_one_comes_through(self, started: Metadata) -> None:
        results = await asyncio.gather(
            *(started.create(an_upload(f"{number}"), use=a_use()) for number in range(8)),
            *(started.create(an_upload(f"plain {number}")) for number in range(8)),
            return_exceptions=True,
        )

        assert results[:8].count(None) == 1
        assert sum(isinstance(result, GrantUsed) for result in results) == 7
        assert results[8:] == [None] * 8
        assert len(await started.page()) == 9

    async def test_who_repeats_a_request_learns_what_it_made(self, started: Metadata) -> None:
        await started.create(an_upload("one"), use=a_use(most=3))
        await started.create(an_upload("two"), use=a_use(most=3, request="another"))
        await started.create(an_upload("three"), use=a_use(most=3))

        with pytest.raises(GrantUsed) as same:
            await started.check_use(a_use(most=3))
        with pytest.raises(GrantUsed) as same_again:
            await started.create(an_upload("four"), use=a_use(most=3))
        with pytest.raises(GrantUsed) as other:
            await started.check_use(a_use(most=3, request="a third"))

        assert same.value.upload_id == same_again.value.upload_id == "three"
        assert (other.value.upload_id, other.value.key_id) == (None, "k")

    async def test_parts_count_apart_and_are_never_repeated(self, started: Metadata) -> None:
        part = a_use(part=True, most=2)
        await started.create(an_upload("a"), use=part)
        await started.create(an_upload("b"), use=part)
        await started.create(an_upload("whole"), use=a_use())

        with pytest.raises(GrantUsed) as raised:
            await started.create(an_upload("c"), use=part)

        assert raised.value.upload_id is None

    async def test_sizes_are_summed(self, started: Metadata) -> None:
        def part(size: int) -> Use:
            return a_use(part=True, most=9, size=size, most_size=2**63 - 1)

        await started.create(an_upload("a"), use=part(2**62))
        await started.create(an_upload("b"), use=part(2**62 - 2))

        with pytest.raises(GrantUsed):
            await started.check_use(part(2))
        with pytest.raises(GrantUsed):
            await started.create(an_upload("c"), use=part(2**63 - 1))
        await started.create(an_upload("d"), use=part(1))

    async def test_an_upload_that_is_not_created_uses_nothing(self, started: Metadata) -> None:
        await started.create(an_upload("one"))

        with pytest.raises(UploadExists):
            await started.create(an_upload("one"), use=a_use())

        await started.check_use(a_use())

    async def test_a_use_outlives_its_upload(self, started: Metadata) -> None:
        await started.create(an_upload("one"), use=a_use())
        await started.delete(UploadId("one"))

        with pytest.raises(GrantUsed):
            await started.check_use(a_use())

    async def test_a_use_can_be_taken_back_with_its_upload(self, started: Metadata) -> None:
        await started.create(an_upload("one"), use=a_use(most=2))
        await started.create(an_upload("two"), use=a_use(most=2))

        await started.delete(UploadId("one"), use=a_use(most=2))

        await started.check_use(a_use(most=2))
        with pytest.raises(GrantUsed):
            await started.check_use(a_use(most=1))

    async def test_uses_are_forgotten_at_their_end(self, started: Metadata) -> None:
        await started.create(an_upload("one"), use=a_use("a", expires_at=10.0))
        await started.create(an_upload("two"), use=a_use("b", expires_at=10.5))

        await started.forget_uses(10.0)

        await started.check_use(a_use("a"))
        with pytest.raises(GrantUsed):
            await started.check_use(a_use("b"))

    async def test_a_fresh_upload_can_be_touched_once(self, started: Metadata) -> None:
        fresh = an_upload("one", fresh=True)
        await started.create(fresh)
        await started.record(fresh)
        assert (await started.get(fresh.id)).fresh

        await started.touch(fresh.id)
        await started.record(fresh)

        assert await started.get(fresh.id) == an_upload("one")

    async def test_recording_can_touch(self, started: Metadata) -> None:
        await started.create(an_upload("one", fresh=True))

        await started.record(an_upload("one"))

        assert not (await started.get(UploadId("one"))).fresh

    async def test_touching_an_unknown_upload_does_no_harm(self, started: Metadata) -> None:
        await started.touch(UploadId("nobody"))

        assert list(await started.page()) == []
