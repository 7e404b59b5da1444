"""The file to upload: its bytes, and whether it is still the same file."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.e2e.samples import MIB, Sample, write_sample
from tusd_py.client.errors import FileChanged, FileUnreadable
from tusd_py.client.source import Source


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return write_sample(tmp_path / "sample.bin", 3 * MIB + 5)


@pytest.fixture
def source(sample: Sample) -> Iterator[Source]:
    source = Source(sample.path)
    yield source
    source.close()


@pytest.mark.parametrize(("start", "length"), [(0, 3 * MIB + 5), (MIB - 1, MIB + 2), (7, 0)])
async def test_pieces_are_the_range(
    source: Source, sample: Sample, start: int, length: int
) -> None:
    pieces = [piece async for piece in source.pieces(start, length)]

    whole = await asyncio.to_thread(sample.path.read_bytes)
    assert whole[start : start + length] == b"".join(pieces)
    assert max(map(len, pieces), default=0) <= MIB


async def test_digests_are_those_of_the_content(source: Source, sample: Sample) -> None:
    assert sample.digest == await asyncio.to_thread(source.digest)
    part = await source.checksum("sha256", 5, 10)
    whole = await asyncio.to_thread(sample.path.read_bytes)
    assert hashlib.sha256(whole[5:15]).digest() == part.digest


@pytest.mark.parametrize("change", ["append", "truncate", "overwrite", "touch"])
async def test_a_file_that_changes_is_not_read_on(
    source: Source, sample: Sample, change: str
) -> None:
    async with aclosing(source.pieces(0, sample.length)) as pieces:
        await anext(pieces)
        await asyncio.to_thread(_alter, sample.path, change)
        # One piece was read ahead.
        with pytest.raises(FileChanged):
            _ = [piece async for piece in pieces]


def _alter(path: Path, change: str) -> None:
    with path.open("r+b") as file:
        if change == "append":
            file.seek(0, os.SEEK_END)
            file.write(b"x")
        elif change == "truncate":
            file.truncate(10)
        elif change == "overwrite":
            file.write(b"x")
    # File systems tell times in steps; a test is quicker than one.
    os.utime(path, ns=(1, 1))


def test_what_is_no_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="is a folder"):
        Source(tmp_path)
    with pytest.raises(FileUnreadable, match="missing: there is no such file"):
        Source(tmp_path / "missing")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileUnreadable, match="is no file with a length"):
        Source(tmp_path / "pipe")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(sample: Sample) -> None:
    sample.path.chmod(0)

    with pytest.raises(FileUnreadable, match="Permission denied"):
        Source(sample.path)


def test_a_closed_file_ends_who_reads_it(sample: Sample) -> None:
    source = Source(sample.path)
    source.close()

    with pytest.raises(FileUnreadable):
        source.digest()
