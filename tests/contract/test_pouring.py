"""From a socket into a file, past this process's memory or through it."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tusd_py.storage.pouring import pour
from tusd_py.streaming.inlet import Inlet

DATA = Random(4).randbytes(300_000)  # noqa: S311 - a test must be repeatable

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The client's end of a connection, with bytes on their way, and ours."""
    theirs, ours = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * len(DATA))
    ours.setblocking(False)
    with theirs, ours:
        theirs.setblocking(False)
        assert len(DATA) == theirs.send(DATA)
        yield theirs, ours


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    os.write(fd, b"before")
    yield fd
    os.close(fd)


def without_splice(patch: pytest.MonkeyPatch, how: str) -> None:
    """Take from the system what some systems lack."""
    splice = os.splice

    def unable(source: int, target: int, size: int, **options: Any) -> int:  # noqa: ANN401
        if ("offset_dst" not in options) == (how == "from sockets"):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return splice(source, target, size, **options)

    if how == "at all":
        patch.delattr(os, "splice")
    elif how != "splice":
        patch.setattr(os, "splice", unable)


def poured(ends: Ends, file: int, left: int, *sizes: int) -> int:
    """Pour some times, at growing offsets behind what is there; gives how much."""
    inlet, offset = Inlet(ends[1].fileno(), left), len(b"before")
    for size in sizes:
        for written in pour(inlet, file, offset, size):
            offset += written
    return offset - len(b"before")


@pytest.mark.parametrize("way", ["splice", "at all", "from sockets", "into files"])
def test_bytes_go_to_their_offset_in_every_way(
    ends: Ends, file: int, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    without_splice(monkeypatch, way)

    size = poured(ends, file, len(DATA), 1, 70_000, *[200_000] * 20)

    assert len(DATA) == size
    assert b"before" + DATA == os.pread(file, 1_000_000, 0)


def test_a_failure_counts_what_was_written_and_leaves_nothing_for_the_next(
    ends: Ends, file: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splice = os.splice

    def full(source: int, target: int, size: int, **options: Any) -> int:  # noqa: ANN401
        if "offset_dst" not in options:
            return splice(source, target, size, **options)
        if options["offset_dst"] > len(b"before"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return splice(source, target, 1000, **options)

    inlet = Inlet(ends[1].fileno(), len(DATA))
    written: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "splice", full)
        with pytest.raises(OSError, match="No space"):
            written.extend(pour(inlet, file, len(b"before"), 50_000))
    taken = len(DATA) - inlet.left
    other = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    following = sum(pour(inlet, other, 0, 1000))

    assert (1000, 1000) == (sum(written), following)
    assert b"before" + DATA[:1000] == os.pread(file, 1_000_000, 0)
    assert DATA[taken:][:1000] == os.pread(other, 1_000_000, 0)
    os.close(other)


def test_a_call_that_makes_no_headway_is_an_error(
    ends: Ends, file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    splice = os.splice

    def stuck(*args: Any, **options: Any) -> int:  # noqa: ANN401
        return 0 if "offset_dst" in options else splice(*args, **options)

    monkeypatch.setattr(os, "splice", stuck)
    with pytest.raises(OSError, match="Input/output"):
        poured(ends, file, len(DATA), 1000)


def test_pipes_are_used_again(ends: Ends, file: int) -> None:
    poured(ends, file, 1000, 500)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names
    poured(ends, file, 1000, *[10] * 20)

    assert before == len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names
