"""A hundred gigabytes are put together in seconds where the file system shares blocks."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.filesystems import image_mounted
from tusd_py import FileStorage, Kind, Upload
from tusd_py.protocol import UploadId

GIB = 2**30
# Blocks are shared where the parts are whole blocks long.
PART = 50 * GIB
PATIENCE = 60.0


@pytest.fixture
def xfs(tmp_path: Path) -> Iterator[Path]:
    """A file system that shares blocks, in a sparse file."""
    make = ("mkfs.xfs", "-q", "-m", "reflink=1")
    with image_mounted(tmp_path / "xfs", *make, size=300 * GIB) as folder:
        yield folder


def an_upload(name: str, kind: Kind, *, offset: int, parts: tuple[str, ...] = ()) -> Upload:
    return Upload(
        id=UploadId(name),
        kind=kind,
        length=offset or 2 * PART,
        offset=offset,
        parts=tuple(UploadId(part) for part in parts),
        created_at=0.0,
        path=f"{name}.bin" if kind is not Kind.PARTIAL else None,
        run="boot/run",
    )


async def write_part(storage: FileStorage, name: str) -> Upload:
    """A part with some bytes at its begin and its end, and nothing between."""
    part = an_upload(name, Kind.PARTIAL, offset=PART)
    writer = storage.writer(an_upload(name, Kind.PARTIAL, offset=0))
    await writer.write([name.encode() * 1000])
    await writer.close()
    (file,) = (file for file in storage.uploads.rglob(name) if file.is_file())
    with file.open("r+b") as stored:
        stored.truncate(PART)
        stored.seek(PART - 1000 * len(name))
        stored.write(name.encode() * 1000)
    return part


def test_a_hundred_gigabytes_are_composed_and_hold_up_nobody(xfs: Path) -> None:
    async def compose() -> tuple[int, float, float]:
        storage = FileStorage(xfs)
        await storage.start(durable=True)
        parts = [await write_part(storage, "first"), await write_part(storage, "second")]
        final = an_upload("final", Kind.FINAL, offset=0, parts=("first", "second"))
        began = time.monotonic()
        composing = asyncio.ensure_future(storage.compose(final, parts))
        slowest = 0.0
        while not composing.done():
            before = time.monotonic()
            other = storage.writer(an_upload("other", Kind.PLAIN, offset=0))
            await other.write([b"x" * 4096])
            await other.close()
            slowest = max(slowest, time.monotonic() - before)
        return await composing, time.monotonic() - began, slowest

    size, seconds, slowest = asyncio.run(compose())

    assert 2 * PART == size
    assert seconds < PATIENCE
    assert slowest < 1.0
    (composed,) = (file for file in (xfs / "uploads").rglob("final"))
    with composed.open("rb") as file:
        assert b"first" * 1000 == file.read(5000)
        file.seek(PART)
        assert b"second" * 1000 == file.read(6000)
        file.seek(2 * PART - 6000)
        assert b"second" * 1000 == file.read()
