"""The example of a storage keeps the promises of one, as the guide says how to prove it."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from tests.support.asgi import Client
from tusd_py import MemoryMetadata, TusApp
from tusd_py.storage import Storage
from tusd_py.testing import LeftoversContract, PublishingContract, StorageContract

ROOT = Path(__file__).parents[2]


class SQLiteStorageFixture:
    @pytest.fixture
    def storage(self, tmp_path: Path) -> Storage:
        example = runpy.run_path(str(ROOT / "examples/sqlite_storage.py"))
        made: Storage = example["SQLiteStorage"](tmp_path / "uploads.db")
        return made


class TestStorage(SQLiteStorageFixture, StorageContract):
    """What is written is read."""


class TestPublishing(SQLiteStorageFixture, PublishingContract):
    """Finished uploads, and removing uploads."""


class TestLeftovers(SQLiteStorageFixture, LeftoversContract):
    """After a process that died."""


class TestServing(SQLiteStorageFixture):
    @pytest.mark.anyio
    async def test_a_server_with_it_takes_an_upload(self, storage: Storage) -> None:
        tus = TusApp(storage=storage, metadata=MemoryMetadata())
        async with tus.running():
            client = Client(tus.below("/files"))
            url = await client.new(length=10)
            await client.patch(url, 0, b"01234")
            await client.patch(url, 5, b"56789")
            fetched = await client.request("GET", url)

        assert b"0123456789" == fetched.body


def test_the_guide_proves_it_as_is_done_here() -> None:
    guide = (ROOT / "docs/guides/backends.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    (block,) = [block for block in blocks if "StorageContract" in block]

    assert block in Path(__file__).read_text()
