"""The cutting proxy counts right: what other tests say about lost bytes rests on it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.e2e.samples import KIB
from tests.support.proxy import CUTS, HOST, CuttingProxy, Ending

pytestmark = pytest.mark.timeout(30)


class Sink:
    """A server that reads all it gets, and remembers how each connection ended."""

    def __init__(self) -> None:
        self.endings: list[tuple[int, Ending]] = []
        self.ended = threading.Semaphore(0)
        self._listener = socket.create_server((HOST, 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._listener.getsockname()[1]}/files/"

    def close(self) -> None:
        # A blocked accept() does not notice close().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.endings.append(_read_to_the_end(connection))
            self.ended.release()


@pytest.fixture
def sink() -> Iterator[Sink]:
    with closing(Sink()) as server:
        yield server


@pytest.mark.parametrize("ending", CUTS)
def test_the_server_gets_the_bytes_up_to_the_cut(sink: Sink, ending: Ending) -> None:
    with CuttingProxy(sink.url, [100 * KIB + 7], endings=[ending]) as proxy:
        send_until_cut(proxy)
        assert sink.ended.acquire(timeout=10)

    cut = proxy.cuts[0]
    assert [(100 * KIB + 7, ending)] == sink.endings
    assert (100 * KIB + 7, 100 * KIB + 7) == (cut.accepted, cut.delivered)
    assert cut.taken >= cut.accepted


def test_there_is_one_cut_for_each_length(sink: Sink) -> None:
    with CuttingProxy(sink.url, [KIB, 2 * KIB], endings=[Ending.RESET]) as proxy:
        for _ in range(2):
            send_until_cut(proxy)
            assert sink.ended.acquire(timeout=10)
        send(proxy, 300 * KIB)
        assert sink.ended.acquire(timeout=10)

    assert 2 == len(proxy.cuts)
    assert (300 * KIB, Ending.FINISH) == sink.endings[-1]


def test_a_short_connection_leaves_the_cut_to_the_next(sink: Sink) -> None:
    with CuttingProxy(sink.url, [10 * KIB], endings=[Ending.RESET]) as proxy:
        send(proxy, KIB)
        assert sink.ended.acquire(timeout=10)
        send_until_cut(proxy)
        assert sink.ended.acquire(timeout=10)

    assert [(KIB, Ending.FINISH), (10 * KIB, Ending.RESET)] == sink.endings


def test_the_same_seed_cuts_the_same_way(sink: Sink) -> None:
    def endings() -> list[Ending]:
        with CuttingProxy(sink.url, [KIB] * 8, seed=5) as proxy:
            for _ in range(8):
                send_until_cut(proxy)
                assert sink.ended.acquire(timeout=10)
        return [cut.ending for cut in proxy.cuts]

    first = endings()
    assert set(CUTS) == set(first)
    assert first == endings()


def send(proxy: CuttingProxy, length: int) -> None:
    with connect(proxy) as connection:
        connection.sendall(bytes(length))
        connection.shutdown(socket.SHUT_WR)
        assert b"" == connection.recv(1)


def send_until_cut(proxy: CuttingProxy) -> None:
    with connect(proxy) as connection, pytest.raises(ConnectionError):
        send_for_ever(connection)


def send_for_ever(connection: socket.socket) -> None:
    while True:
        connection.sendall(bytes(16 * KIB))


def connect(proxy: CuttingProxy) -> socket.socket:
    port = int(proxy.url.rsplit(":", 1)[1].split("/")[0])
    return socket.create_connection((HOST, port), timeout=10)


def _read_to_the_end(connection: socket.socket) -> tuple[int, Ending]:
    received = 0
    try:
        while data := connection.recv(64 * KIB):
            received += len(data)
    except ConnectionResetError:
        return received, Ending.RESET
    return received, Ending.FINISH
