"""What every metadata store promises of what subjects may have."""

import asyncio
from typing import Any

import pytest

from tusd_py.errors import GrantUsed, OverLimit, QuotaExceeded, SubjectBusy, UploadNotFound
from tusd_py.metadata import Metadata, Quota, Use
from tusd_py.protocol.upload import Kind, Upload, UploadId

from .stores import StartedMetadata
from .uploads import CREATED_AT, an_upload


def own(upload_id: str, **facts: Any) -> Upload:  # noqa: ANN401 - any fact
    """An upload of ten bytes of alice's."""
    return an_upload(upload_id, subject="alice", **facts)


@pytest.mark.anyio
class QuotasContract(StartedMetadata):
    """The promises of ``tusd_py.metadata.Metadata`` about quotas. Override ``metadata``."""

    async def test_bytes_are_summed(self, started: Metadata) -> None:
        await started.create(own("known"))
        await started.create(own("finished", offset=10, finished_at=CREATED_AT))
        await started.create(own("open", length=None, max_length=7, offset=5))
        await started.create(own("endless", length=None, offset=3))

        with pytest.raises(QuotaExceeded) as raised:
            await started.create(own("more", length=1), quota=Quota(size=30))

        assert raised.value.limit == 30
        with pytest.raises(UploadNotFound):
            await started.get(UploadId("more"))
        await started.check_quota("alice", Quota(size=30))
        await started.create(own("more", length=1), quota=Quota(size=31))
        with pytest.raises(QuotaExceeded):
            await started.check_quota("alice", Quota(size=30))

    async def test_sums_may_be_larger_than_any_upload(self, started: Metadata) -> None:
        for name in "abc":
            await started.create(own(name, length=2**63 - 1))

        with pytest.raises(QuotaExceeded):
            await started.check_quota("alice", Quota(size=2**63 - 1))

    async def test_unfinished_uploads_are_counted(self, started: Metadata) -> None:
        await started.create(own("one"))
        await started.create(own("finished", finished_at=CREATED_AT))
        await started.create(own("two"), quota=Quota(unfinished=2))

        with pytest.raises(SubjectBusy):
            await started.create(own("three"), quota=Quota(unfinished=2))

    async def test_a_used_grant_is_told_before_a_quota(self, started: Metadata) -> None:
        use = Use(grant="grant", request="request", expires_at=CREATED_AT + 900)
        await started.create(own("one"), use=use)

        with pytest.raises(GrantUsed) as raised:
            await started.create(own("two"), use=use, quota=Quota(unfinished=1))

        assert raised.value.upload_id == "one"

    async def test_creations_are_counted_whatever_became_of_the_uploads(
        self, started: Metadata
    ) -> None:
        def quota(now: float) -> Quota:
            return Quota(recent=2, since=now - 60.0, now=now)

        for name, now in (("old", 0.0), ("a", 30.0), ("b", 60.0)):
            await started.create(own(name), quota=quota(now))
            await started.delete(UploadId(name))

        for _ in range(2):
            # One that was not let through does not count.
            with pytest.raises(SubjectBusy):
                await started.create(own("c"), quota=quota(89.0))
        await started.create(own("c"), quota=quota(90.0))

    async def test_what_others_have_does_not_count(self, started: Metadata) -> None:
        await started.create(an_upload("nobody's"))
        await started.create(an_upload("bob's", subject="bob"))

        await started.create(own("one"), quota=Quota(size=10, unfinished=1, recent=1))

    async def test_what_has_expired_does_not_count(self, started: Metadata) -> None:
        part = {"kind": Kind.PARTIAL, "path": None, "finished_at": CREATED_AT}
        await started.create(own("unfinished", expires_at=10.0))
        await started.create(own("part", expires_at=10.0, **part))
        await started.create(own("finished", expires_at=10.0, finished_at=CREATED_AT))
        await started.create(own("later", expires_at=10.5))

        await started.check_quota("alice", Quota(size=20, unfinished=1, now=10.0))
        for quota in (Quota(size=19, now=10.0), Quota(unfinished=0, now=10.0)):
            with pytest.raises(OverLimit):
                await started.check_quota("alice", quota)

    async def test_of_many_at_once_as_many_come_through_as_may(self, started: Metadata) -> None:
        quota = Quota(unfinished=3)
        results = await asyncio.gather(
            *(started.create(own(f"{number}"), quota=quota) for number in range(8)),
            *(started.create(an_upload(f"plain {number}")) for number in range(8)),
            return_exceptions=True,
        )

        assert results[:8].count(None) == 3
        assert results[8:] == [None] * 8
        assert len(await started.page(subject="alice")) == 3
