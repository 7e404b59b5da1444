"""What the kernel tells of a connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from tusd_py.serving import kernel


class Connected(asyncio.Transport):
    """A transport with a socket, or without."""

    def __init__(self, connection: socket.socket | None) -> None:
        super().__init__({"socket": connection})

    def is_closing(self) -> bool:
        return False


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The client's end of a connection over TCP, and ours, which does not block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.socket()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        theirs.connect(listener.getsockname())
        ours, _ = listener.accept()
    ours.setblocking(False)
    with theirs, ours:
        yield theirs, ours


def test_what_there_is_room_for_is_taken_at_once(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    transport, rooms = Connected(ends[1]), list[int]()
    while room := kernel.room(transport):
        rooms.append(room)
        assert room == ends[1].send(bytes(room))

    assert rooms
    assert kernel.unacknowledged(transport) > 0


def test_what_came_is_counted(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[0].sendall(b"12345")

    assert 5 == len(ends[1].recv(5, socket.MSG_PEEK)) == kernel.unread(Connected(ends[1]))


def test_without_a_socket_there_is_nothing() -> None:
    transport = Connected(None)

    assert [0, 0, 0] == [
        ask(transport) for ask in (kernel.room, kernel.unread, kernel.unacknowledged)
    ]
