"""Who waits for whom while a file is sent past a transport."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from tests.support.buffers import usual
from tusd_py.errors import StorageError
from tusd_py.serving.outlet import FileTooShort, Outlet
from tusd_py.serving.protocol import protocol_class
from tusd_py.serving.sending import Sending
from tusd_py.streaming.base import nobody_counts
from tusd_py.streaming.connection import ZERO_COPY
from tusd_py.threads import WorkerThreads

DATA = bytes(range(256)) * 16_000
PATIENCE = 10.0

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The client's end of a connection, and ours; neither blocks."""
    theirs, ours = socket.socketpair()
    for end in (theirs, ours):
        end.setblocking(False)
    with theirs, ours:
        yield theirs, ours


@pytest.fixture
def file(tmp_path: Path) -> Iterator[IO[bytes]]:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        yield file


@pytest.fixture
def threads() -> WorkerThreads:
    return WorkerThreads(1, "test")


def sending(ends: Ends, file: IO[bytes], threads: WorkerThreads, left: int = len(DATA)) -> Sending:
    return Sending(Outlet(file.fileno(), 0, left), ends[1], threads, nobody_counts, usual())


async def until_idle(sent: Sending) -> None:
    async with asyncio.timeout(PATIENCE):
        while not sent.idle:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.001)


async def read_all(client: socket.socket, size: int) -> bytes:
    loop, data = asyncio.get_running_loop(), bytearray()
    async with asyncio.timeout(PATIENCE):
        while len(data) < size:
            data += await loop.sock_recv(client, size)
    return bytes(data)


async def test_a_client_that_begins_to_read_late_gets_all(
    ends: Ends, file: IO[bytes], threads: WorkerThreads
) -> None:
    sent = sending(ends, file, threads)
    running = asyncio.create_task(sent.run())
    await until_idle(sent)
    assert 0 < sent.left < len(DATA)

    assert DATA == await read_all(ends[0], len(DATA))
    await running
    assert (False, 0) == (sent.idle, sent.left)


async def test_no_thread_is_held_by_a_client_that_does_not_read(
    ends: Ends, file: IO[bytes], threads: WorkerThreads
) -> None:
    sent = sending(ends, file, threads)
    running = asyncio.create_task(sent.run())
    await until_idle(sent)

    async with asyncio.timeout(PATIENCE):
        await threads.run(threading.get_ident)
    sent.lose()
    await running


async def test_a_connection_that_is_lost_ends_it_while_it_waits(
    ends: Ends, file: IO[bytes], threads: WorkerThreads
) -> None:
    sent = sending(ends, file, threads)
    running = asyncio.create_task(sent.run())
    await until_idle(sent)
    sent.lose()

    await asyncio.wait_for(running, PATIENCE)
    assert sent.left


async def test_a_client_that_leaves_ends_it_while_it_waits(
    ends: Ends, file: IO[bytes], threads: WorkerThreads
) -> None:
    sent = sending(ends, file, threads)
    running = asyncio.create_task(sent.run())
    await until_idle(sent)
    ends[0].close()

    await asyncio.wait_for(running, PATIENCE)
    assert sent.left


async def test_who_is_cancelled_leaves_after_the_thread_has(
    ends: Ends, file: IO[bytes], threads: WorkerThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, gate = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    sendfile = os.sendfile
    used: list[bool] = []

    def slow(target: int, source: int, offset: int, size: int) -> int:
        loop.call_soon_threadsafe(inside.set)
        gate.wait(PATIENCE)
        used.append(running.done())
        return sendfile(target, source, offset, size)

    monkeypatch.setattr(os, "sendfile", slow)
    running = asyncio.create_task(sending(ends, file, threads, 1000).run())
    await inside.wait()
    running.cancel()
    await asyncio.sleep(0.01)
    gate.set()
    with suppress(asyncio.CancelledError):
        await running

    assert [False] == used


async def test_cancelled_while_it_waits_it_watches_no_more(
    ends: Ends, file: IO[bytes], threads: WorkerThreads
) -> None:
    sent = sending(ends, file, threads)
    running = asyncio.create_task(sent.run())
    await until_idle(sent)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running

    assert not sent.idle
    assert not asyncio.get_running_loop().remove_writer(ends[1].fileno())


async def test_what_the_disk_fails_with_is_an_error_of_the_storage(
    ends: Ends, threads: WorkerThreads, tmp_path: Path
) -> None:
    descriptor = os.open(tmp_path, os.O_PATH)
    try:
        with pytest.raises(StorageError):
            await Sending(Outlet(descriptor, 0, 10), ends[1], threads, nobody_counts, usual()).run()
    finally:
        os.close(descriptor)


async def test_a_file_that_ends_too_early_is_an_error(
    ends: Ends, file: IO[bytes], threads: WorkerThreads
) -> None:
    running = asyncio.create_task(sending(ends, file, threads, len(DATA) + 1).run())
    assert DATA == await read_all(ends[0], len(DATA))

    with pytest.raises(FileTooShort):
        await running


class Connected(asyncio.Transport):
    """A transport with a client, encrypted or not."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self._extra.get(name, default)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Nothing to do."""


@pytest.mark.parametrize("encrypted", [True, False])
async def test_files_are_sent_past_transports_that_do_not_encrypt(encrypted: bool) -> None:
    async def app(_scope: object, _receive: object, _send: object) -> None:
        """Never called."""

    config = Config(app, log_config=None)
    connection = protocol_class(header_timeout=10, max_header_size=8192)(
        config, ServerState(), {}, asyncio.get_running_loop()
    )
    connection.connection_made(Connected({"sslcontext": object()} if encrypted else {}))
    connection.on_message_begin()
    extensions = connection.scope["extensions"]
    connection.connection_lost(None)

    assert extensions is not None
    assert (ZERO_COPY in extensions) is not encrypted
