"""Finished uploads that the kernel sends straight from their files, over real sockets."""

import errno
import gc
import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from tests.support.census import nothing_leaks, wait_for_connections
from tests.support.live import LiveServer, Wire, head, live, uploaded
from tests.support.server import ServerProcess
from tusd_py import Config, FileStorage, SQLiteMetadata, TusApp
from tusd_py.errors import StorageError
from tusd_py.locks.file import FileLocks
from tusd_py.serving import handover
from tusd_py.serving.protocol import TusProtocol, protocol_class
from tusd_py.serving.sending import Sending
from tusd_py.streaming.connection import ZERO_COPY
from tusd_py.testing import Fault, FaultyFileStorage, Plan

MIB = 1024 * 1024
DATA = Random(5).randbytes(MIB + 3)  # noqa: S311 - a test must be repeatable
# More than any kernel holds for a client that does not read.
LARGE = DATA * 24
PATIENCE = 10.0


@pytest.fixture
def plan() -> Plan:
    """What the storage fails with."""
    return Plan()


@pytest.fixture
def tus(tmp_path: Path, plan: Plan) -> TusApp:
    return TusApp(
        storage=FaultyFileStorage(FileStorage(tmp_path), plan),
        metadata=SQLiteMetadata(tmp_path / "tus.db"),
        locks=FileLocks(tmp_path / "locks"),
        config=Config(durability="process", sweep_interval=0),
    )


@pytest.fixture
def server(tus: TusApp) -> Iterator[LiveServer]:
    with served(tus.below("/files"), lifespan="on") as server:
        # What is opened once is open before anything is counted.
        with Wire(server.port) as wire:
            wire.request("GET", uploaded(server.port, DATA))
        yield server


def served(app: Any, *, lifespan: str = "off") -> Any:  # noqa: ANN401 - ASGI, a context manager
    http = protocol_class(header_timeout=10, max_header_size=8192)
    return live(app, http=http, lifespan=lifespan, timeout_graceful_shutdown=5)


def stored_file(folder: Path, size: int) -> Path:
    """The file of the one finished upload of that size."""
    (found,) = [file for file in folder.glob("files/**/*") if file.stat().st_size == size]
    return found


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def begun(wire: Wire, path: str, sent: list[Sending]) -> None:
    """Ask for a file, and read nothing until the server waits for that."""
    before = len(sent)
    wire.send(head("GET", path))
    wait_until(lambda: len(sent) > before and sent[-1].idle)


def rest(wire: Wire) -> bytes:
    """Everything until the server ends the connection."""
    data = bytearray()
    while more := wire.socket.recv(MIB):
        data += more
    return bytes(data)


def body_of(response: bytes) -> bytes:
    return response.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("size", [0, 1, MIB + 3, 64 * MIB])
def test_a_file_comes_whole(server: LiveServer, sent: list[Sending], size: int) -> None:
    data = (DATA * 64)[:size]
    path = uploaded(server.port, data)
    with Wire(server.port) as wire:
        response = wire.request("GET", path)
    assert (200, str(size)) == (response.status, response.headers["content-length"])
    assert data == response.body
    assert len(sent) == (1 if size else 0)


def test_requests_behind_a_download_are_answered_in_turn(
    server: LiveServer, sent: list[Sending]
) -> None:
    one, other = uploaded(server.port, LARGE), uploaded(server.port, DATA)
    with Wire(server.port) as wire:
        wire.send(head("GET", one), head("OPTIONS", "/files/"), head("GET", other))
        assert LARGE == wire.response().body
        assert 200 == wire.response().status
        assert DATA == wire.response().body
    assert 2 == len(sent)


def test_a_request_that_comes_during_a_download_waits_for_its_end(
    server: LiveServer, sent: list[Sending]
) -> None:
    path = uploaded(server.port, LARGE)
    with Wire(server.port) as wire:
        begun(wire, path, sent)
        wire.send(head("OPTIONS", "/files/"))
        assert LARGE == wire.response().body
        assert 200 == wire.response().status


def test_a_connection_is_kept_for_one_download_after_another(
    server: LiveServer, sent: list[Sending]
) -> None:
    path = uploaded(server.port, DATA)
    with Wire(server.port) as wire:
        for _ in range(20):
            assert DATA == wire.request("GET", path).body
    assert 20 == len(sent)


def test_a_client_that_wants_no_more_is_sent_the_end_of_the_connection(
    server: LiveServer, tus: TusApp, sent: list[Sending]
) -> None:
    path = uploaded(server.port, DATA)
    with nothing_leaks(server, tus), Wire(server.port) as wire:
        wire.send(head("GET", path, connection="close"))
        assert DATA == body_of(rest(wire))
    assert sent


def test_the_body_of_a_request_for_a_file_is_taken_meanwhile(
    server: LiveServer, sent: list[Sending]
) -> None:
    path = uploaded(server.port, LARGE)
    with Wire(server.port) as wire:
        # A client that reads nothing before it has sent all.
        wire.send(head("GET", path, content_length=str(len(LARGE))), LARGE)
        assert LARGE == wire.response().body
        assert 200 == wire.request("OPTIONS", "/files/").status
    assert sent


def test_several_read_the_same_file_at_once(server: LiveServer, sent: list[Sending]) -> None:
    path = uploaded(server.port, LARGE)

    def download(_: int) -> bytes:
        with Wire(server.port) as wire:
            return wire.request("GET", path).body

    with ThreadPoolExecutor(12) as clients:
        assert all(LARGE == body for body in clients.map(download, range(12)))
    assert 12 == len(sent)


def test_clients_that_do_not_read_hold_up_nobody(server: LiveServer, sent: list[Sending]) -> None:
    path = uploaded(server.port, LARGE)
    with ExitStack() as stack:
        for _ in range(20):
            begun(stack.enter_context(Wire(server.port, receive_buffer=8192)), path, sent)
        with Wire(server.port) as wire:
            assert LARGE == wire.request("GET", path).body


@pytest.mark.parametrize("leave", [Wire.reset, lambda wire: wire.socket.close()])
def test_a_client_that_leaves_ends_it_without_a_trace(
    server: LiveServer,
    tus: TusApp,
    sent: list[Sending],
    caplog: pytest.LogCaptureFixture,
    leave: Callable[[Wire], None],
) -> None:
    path = uploaded(server.port, LARGE)
    with nothing_leaks(server, tus):
        for after in (0, MIB):
            with Wire(server.port) as wire:
                begun(wire, path, sent)
                taken = 0
                while taken < after:
                    taken += len(wire.socket.recv(after))
                leave(wire)
    assert all(found.left for found in sent)
    assert [] == [found for found in caplog.records if found.levelno >= logging.WARNING]


def test_a_client_that_leaves_with_requests_behind_is_read_for_no_more(
    server: LiveServer, tus: TusApp, sent: list[Sending], monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[int] = []

    def noting(_: int, size: int, offset: int) -> bytes:
        pieces.append(offset)
        return bytes(size)

    monkeypatch.setattr(os, "pread", noting)
    path = uploaded(server.port, LARGE)
    with nothing_leaks(server, tus), Wire(server.port) as wire:
        begun(wire, path, sent)
        # The server reads no further than to the second of them.
        wire.send(head("OPTIONS", "/files/") * 2000)
        wire.reset()
    assert not pieces


def test_rubbish_is_not_answered_in_the_middle_of_a_file(
    server: LiveServer, tus: TusApp, sent: list[Sending]
) -> None:
    path = uploaded(server.port, LARGE)
    with nothing_leaks(server, tus), Wire(server.port) as wire:
        wire.send(head("GET", path, transfer_encoding="chunked"))
        wait_until(lambda: sent and sent[-1].idle)
        wire.send(b"not a chunk\r\n")
        wait_for_connections(server, 0)
        assert LARGE.startswith(body_of(rest(wire)))


def test_a_disk_that_fails_cuts_the_connection_and_no_other(
    server: LiveServer,
    tus: TusApp,
    sent: list[Sending],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = uploaded(server.port, LARGE)
    sendfile, half = os.sendfile, len(LARGE) // 2

    def failing(target: int, source: int, offset: int, size: int) -> int:
        if offset >= half:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return sendfile(target, source, offset, min(size, half - offset))

    with nothing_leaks(server, tus):
        with monkeypatch.context() as patch, Wire(server.port) as wire:
            patch.setattr(os, "sendfile", failing)
            wire.send(head("GET", path))
            assert LARGE[:half] == body_of(rest(wire))
        with Wire(server.port) as wire:
            assert LARGE == wire.request("GET", path).body
    assert any(found.exc_info and found.exc_info[0] is StorageError for found in caplog.records)
    assert 2 == len(sent)


def test_a_file_that_becomes_too_short_cuts_the_connection(
    server: LiveServer,
    tus: TusApp,
    tmp_path: Path,
    sent: list[Sending],
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = uploaded(server.port, LARGE)
    with nothing_leaks(server, tus), Wire(server.port) as wire:
        begun(wire, path, sent)
        os.truncate(stored_file(tmp_path, len(LARGE)), MIB)
        came = body_of(rest(wire))
    assert LARGE.startswith(came)
    assert len(came) < len(LARGE)
    assert any(found.levelno == logging.ERROR for found in caplog.records)


def test_a_file_that_is_too_short_is_an_answer(server: LiveServer, tmp_path: Path) -> None:
    path = uploaded(server.port, LARGE)
    os.truncate(stored_file(tmp_path, len(LARGE)), MIB)
    with Wire(server.port) as wire:
        assert 500 == wire.request("GET", path).status
        assert 200 == wire.request("HEAD", path).status


def test_a_file_that_cannot_be_opened_is_an_answer(
    server: LiveServer, plan: Plan, sent: list[Sending]
) -> None:
    path = uploaded(server.port, LARGE)
    sent.clear()
    plan.faults.append(Fault(method="open", call=plan.calls["open"] + 1, error=StorageError))
    with Wire(server.port) as wire:
        assert 500 == wire.request("GET", path).status
        assert LARGE == wire.request("GET", path).body
    assert 1 == len(sent)


def test_a_file_that_is_gone_is_an_answer(server: LiveServer, tmp_path: Path) -> None:
    path = uploaded(server.port, LARGE)
    stored_file(tmp_path, len(LARGE)).unlink()
    with Wire(server.port) as wire:
        assert 500 == wire.request("GET", path).status


def test_an_upload_that_is_removed_meanwhile_comes_whole(
    server: LiveServer, tus: TusApp, sent: list[Sending]
) -> None:
    path = uploaded(server.port, LARGE)
    with nothing_leaks(server, tus), Wire(server.port) as wire, Wire(server.port) as other:
        begun(wire, path, sent)
        assert 204 == other.request("DELETE", path).status
        assert LARGE == wire.response().body


def refuse_to_send(patch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> int:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    patch.setattr(os, "sendfile", refuse)


def refuse_duplicates(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(handover, "duplicate_of", lambda _: None)


@pytest.mark.parametrize("refuse", [refuse_to_send, refuse_duplicates])
def test_what_cannot_be_sent_in_this_way_is_sent_in_pieces(
    server: LiveServer,
    tus: TusApp,
    monkeypatch: pytest.MonkeyPatch,
    refuse: Callable[[pytest.MonkeyPatch], None],
) -> None:
    path = uploaded(server.port, LARGE)
    with monkeypatch.context() as patch, nothing_leaks(server, tus), Wire(server.port) as wire:
        refuse(patch)
        wire.send(head("GET", path), head("OPTIONS", "/files/"))
        assert LARGE == wire.response().body
        assert 200 == wire.response().status


@pytest.mark.parametrize("refuse", [refuse_to_send, refuse_duplicates])
def test_who_leaves_is_sent_no_more_pieces(
    server: LiveServer,
    tus: TusApp,
    monkeypatch: pytest.MonkeyPatch,
    refuse: Callable[[pytest.MonkeyPatch], None],
) -> None:
    path = uploaded(server.port, LARGE)
    pread, read = os.pread, [0]

    def counting(file: int, size: int, offset: int) -> bytes:
        read[0] += size
        return pread(file, size, offset)

    monkeypatch.setattr(os, "pread", counting)
    with monkeypatch.context() as patch, nothing_leaks(server, tus), Wire(server.port) as wire:
        refuse(patch)
        wire.send(head("GET", path))
        wait_until(lambda: read[0])
    assert read[0] < len(LARGE) // 2


def test_a_request_that_is_cancelled_leaves_nothing_behind(
    server: LiveServer, tus: TusApp, sent: list[Sending]
) -> None:
    path = uploaded(server.port, LARGE)
    with nothing_leaks(server, tus), Wire(server.port) as wire:
        begun(wire, path, sent)
        (task,) = server.server_state.tasks
        server.loop.call_soon_threadsafe(task.cancel)
        assert len(body_of(rest(wire))) < len(LARGE)


def test_the_setting_turns_it_off(tmp_path: Path, sent: list[Sending]) -> None:
    tus = TusApp(
        storage=FileStorage(tmp_path),
        metadata=SQLiteMetadata(tmp_path / "tus.db"),
        config=Config(direct_body=False),
    )
    with served(tus.below("/files"), lifespan="on") as server, Wire(server.port) as wire:
        assert DATA == wire.request("GET", uploaded(server.port, DATA)).body
    assert not sent


def connections_in_memory() -> int:
    return sum(isinstance(found, TusProtocol) for found in gc.get_objects())


def test_connections_leave_nothing_for_the_garbage_collector(server: LiveServer) -> None:
    path = uploaded(server.port, DATA)
    wait_for_connections(server, 0)
    gc.collect()
    before = connections_in_memory()
    gc.disable()
    try:
        for _ in range(5):
            with Wire(server.port) as wire:
                assert DATA == wire.request("GET", path).body
        wait_until(lambda: connections_in_memory() <= before)
    finally:
        gc.enable()


READERS = 200
# What each of them may cost in memory, and in descriptors: two of the connection, and the file.
MEMORY_EACH = 48 * 1024
DESCRIPTORS_EACH = 3


@pytest.mark.slow
def test_downloads_that_nobody_reads_cost_little(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server, ExitStack() as stack:
        path = uploaded(server.port, LARGE)
        process = psutil.Process(server.pid)
        with Wire(server.port) as wire:
            assert LARGE == wire.request("GET", path).body
        before, descriptors = process.memory_info().rss, process.num_fds()
        for _ in range(READERS):
            wire = stack.enter_context(Wire(server.port, receive_buffer=8192))
            wire.send(head("GET", path))
            assert b"HTTP/1.1 200" == wire.socket.recv(12)
        assert process.memory_info().rss - before < READERS * MEMORY_EACH
        assert process.num_fds() - descriptors <= READERS * DESCRIPTORS_EACH
        stack.close()
        wait_until(lambda: process.num_fds() <= descriptors)


class Parts:
    """An application that answers with parts of a file, as messages say it.

    Args:
        file: The file.
        headers: Of the answer.
        messages: What is sent of it.
    """

    def __init__(
        self, file: Path, headers: list[tuple[bytes, bytes]], *messages: dict[str, int | bool]
    ) -> None:
        self._file = file
        self._headers = headers
        self._messages = messages
        self.offered: list[bool] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401, ARG002 - ASGI
        self.offered.append(ZERO_COPY in scope["extensions"])
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        with self._file.open("rb") as file:
            for message in self._messages:
                await send({"type": ZERO_COPY, "file": file, **message})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.write_bytes(DATA)
    return file


def of_length(size: int) -> list[tuple[bytes, bytes]]:
    return [(b"content-length", str(size).encode())]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([{}], DATA),
        ([{"offset": 5}], DATA[5:]),
        ([{"count": 5}], DATA[:5]),
        ([{"offset": 1000, "count": 5000}], DATA[1000:6000]),
        ([{"offset": len(DATA), "count": 0}], b""),
        (
            [{"offset": 7, "count": 3, "more_body": True}, {"offset": 1, "count": 2}],
            DATA[7:10] + DATA[1:3],
        ),
    ],
    ids=["all", "from", "up to", "middle", "nothing", "two"],
)
def test_any_part_of_a_file_can_be_sent(
    file: Path, messages: list[dict[str, int | bool]], expected: bytes
) -> None:
    app = Parts(file, of_length(len(expected)), *messages)
    with served(app) as server, Wire(server.port) as wire:
        for _ in range(2):
            assert expected == wire.request("GET", "/").body
    assert [True, True] == app.offered


def test_a_head_has_no_body(file: Path) -> None:
    app = Parts(file, of_length(len(DATA)), {"offset": 0, "count": len(DATA)})
    with served(app) as server, Wire(server.port) as wire:
        wire.send(head("HEAD", "/"), head("GET", "/"))
        assert str(len(DATA)) == wire.response(bodiless=True).headers["content-length"]
        assert DATA == wire.response().body


def test_a_body_without_a_length_comes_in_chunks(file: Path) -> None:
    app = Parts(file, [], {"offset": 0, "count": 5})
    with served(app) as server, Wire(server.port) as wire:
        wire.send(head("GET", "/", connection="close"))
        assert b"5\r\n" + DATA[:5] + b"\r\n0\r\n\r\n" == body_of(rest(wire))


def test_more_than_was_announced_is_not_sent(file: Path) -> None:
    app = Parts(file, of_length(5), {"offset": 0, "count": 6})
    with served(app) as server, Wire(server.port) as wire:
        wire.send(head("GET", "/"))
        assert b"" == body_of(rest(wire))


def test_less_than_was_announced_is_no_end(file: Path) -> None:
    app = Parts(file, of_length(6), {"offset": 0, "count": 5})
    with served(app) as server, Wire(server.port) as wire:
        wire.send(head("GET", "/"))
        assert DATA[:5] == body_of(rest(wire))


def test_what_is_to_be_sent_before_the_file_comes_before_it(file: Path) -> None:
    """More of it than the kernel takes at once from a client's server."""
    first = b"x" * (8 * MIB)

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401, ARG001 - ASGI
        headers = of_length(len(first) + len(DATA))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        with file.open("rb") as opened:
            await send({"type": ZERO_COPY, "file": opened, "offset": 0, "count": len(DATA)})

    with served(app) as server, Wire(server.port) as wire:
        assert first + DATA == wire.request("GET", "/").body
        assert first + DATA == wire.request("GET", "/").body
