"""Giving the kernel parts of a file to send, and what can come in between."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tusd_py.serving.outlet import FileTooShort, Outlet

DATA = bytes(range(256)) * 4000

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The client's end of a connection, and ours, which does not block."""
    theirs, ours = socket.socketpair()
    ours.setblocking(False)
    with theirs, ours:
        yield theirs, ours


@pytest.fixture
def file(tmp_path: Path) -> Iterator[IO[bytes]]:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        yield file


def refuse(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fail(*_: int) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "sendfile", fail)


def test_a_part_is_sent_step_by_step(ends: Ends, file: IO[bytes]) -> None:
    outlet = Outlet(file.fileno(), 100, 250)

    assert [200, 50] == [outlet.send(ends[1].fileno(), 200) for _ in range(2)]
    assert (0, DATA[100:350]) == (outlet.left, ends[0].recv(1000))


def test_a_part_can_be_read_instead(file: IO[bytes]) -> None:
    outlet = Outlet(file.fileno(), 100, 250)

    assert [DATA[100:300], DATA[300:350]] == [outlet.read(200) for _ in range(2)]
    assert outlet.left == 0


def test_a_client_that_does_not_read_is_no_failure(ends: Ends, file: IO[bytes]) -> None:
    outlet = Outlet(file.fileno(), 0, len(DATA))
    while outlet.send(ends[1].fileno(), len(DATA)):
        pass

    assert (True, False) == (outlet.full, outlet.ended)
    taken = len(ends[0].recv(len(DATA)))
    assert outlet.send(ends[1].fileno(), len(DATA))
    assert not outlet.full
    assert taken <= len(DATA) - outlet.left


def test_a_client_that_has_gone_ends_it(ends: Ends, file: IO[bytes]) -> None:
    ends[0].close()
    outlet = Outlet(file.fileno(), 0, 100)

    assert 0 == outlet.send(ends[1].fileno(), 100)
    assert (True, 100) == (outlet.ended, outlet.left)


@pytest.mark.parametrize(
    "number", [errno.ECONNRESET, errno.EPIPE, errno.ETIMEDOUT, errno.EHOSTUNREACH]
)
def test_what_the_network_does_is_not_raised(
    file: IO[bytes], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refuse(monkeypatch, number)
    outlet = Outlet(file.fileno(), 0, 100)

    assert (0, True) == (outlet.send(-1, 100), outlet.ended)


def test_what_the_disk_does_is_raised(file: IO[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, errno.EIO)

    with pytest.raises(OSError, match="Input/output"):
        Outlet(file.fileno(), 0, 100).send(-1, 100)


def test_a_file_that_cannot_be_sent_in_this_way_is_left_as_it_is(
    ends: Ends, file: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, errno.EINVAL)
    outlet = Outlet(file.fileno(), 0, 100)

    assert (0, True) == (outlet.send(ends[1].fileno(), 100), outlet.unsendable)
    assert DATA[:100] == outlet.read(1000)


def test_a_file_that_ends_too_early_is_not_whole(ends: Ends, file: IO[bytes]) -> None:
    sent, read = (Outlet(file.fileno(), len(DATA) - 10, 20) for _ in range(2))

    assert (10, 10) == (sent.send(ends[1].fileno(), 20), len(read.read(20)))
    with pytest.raises(FileTooShort):
        sent.send(ends[1].fileno(), 20)
    with pytest.raises(FileTooShort):
        read.read(20)
