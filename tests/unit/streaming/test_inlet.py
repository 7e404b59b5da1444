"""Reading what is left of a body from a socket."""

import os
import socket
from collections.abc import Callable, Iterator

import pytest

from tests.support.proxy import reset
from tusd_py.streaming.inlet import Inlet

Take = Callable[[Inlet, int], bytes]


def read(inlet: Inlet, size: int) -> bytes:
    return inlet.read(size)


def splice(inlet: Inlet, size: int) -> bytes:
    exit_, entrance = os.pipe()
    try:
        moved = inlet.splice(entrance, size)
        return os.read(exit_, moved) if moved else b""
    finally:
        os.close(exit_)
        os.close(entrance)


@pytest.fixture(params=[read, splice] if hasattr(os, "splice") else [read])
def take(request: pytest.FixtureRequest) -> Take:
    function: Take = request.param
    return function


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The client's end of a TCP connection, and ours, which does not block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    ours.setblocking(False)
    with client, ours:
        yield client, ours


def test_nothing_is_read_beyond_the_body(
    ends: tuple[socket.socket, socket.socket], take: Take
) -> None:
    client, ours = ends
    client.sendall(b"0123456789next")
    inlet = Inlet(ours.fileno(), 10)

    assert b"0123" == take(inlet, 4)
    assert 6 == inlet.left
    assert b"456789" == take(inlet, 1000)
    assert (0, False, False) == (inlet.left, inlet.dry, inlet.ended)
    assert b"next" == ours.recv(1000)


def test_what_has_not_come_is_not_waited_for(
    ends: tuple[socket.socket, socket.socket], take: Take
) -> None:
    client, ours = ends
    inlet = Inlet(ours.fileno(), 10)

    assert b"" == take(inlet, 10)
    assert (10, True, False) == (inlet.left, inlet.dry, inlet.ended)
    client.sendall(b"01")
    assert b"01" == take(inlet, 10)
    assert (8, False, False) == (inlet.left, inlet.dry, inlet.ended)


@pytest.mark.parametrize("cut", [socket.socket.close, reset], ids=["end", "reset"])
def test_whatever_ends_the_connection_is_an_end(
    ends: tuple[socket.socket, socket.socket], take: Take, cut: Callable[[socket.socket], None]
) -> None:
    client, ours = ends
    inlet = Inlet(ours.fileno(), 10)
    cut(client)

    assert b"" == take(inlet, 10)
    assert (10, False, True) == (inlet.left, inlet.dry, inlet.ended)
