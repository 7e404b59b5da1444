"""The uploader over networks that cut, swallow and change, and servers that die."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.inspection import stored_digest
from tests.e2e.samples import KIB, MIB, Sample, write_sample
from tests.support.links import ScriptedLinks
from tests.support.proxy import CuttingProxy, Ending
from tests.support.server import ServerProcess
from tusd_py.client import GaveUp, Options, Phase, Progress, Uploader
from tusd_py.client.source import Source
from tusd_py.network import InterfaceKind

NEVER = 1e7
"""Seconds: longer than any test may take."""

QUICK = {"first_delay": 0.01, "longest_delay": 0.1}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", "--durability", "process").start()
    yield server
    if server.running:
        server.stop()


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return write_sample(tmp_path / "sample.bin", 16 * MIB + 7)


def uploader(url: str, links: ScriptedLinks | None = None, **options: Any) -> Uploader:  # noqa: ANN401
    return Uploader(url, links=links, options=Options(**{**QUICK, **options}), remember=False)


async def digest_at(url: str, server: ServerProcess) -> str:
    return await asyncio.to_thread(stored_digest, server.url + url.rpartition("/")[2])


class Told:
    """Lets a test wait for what an uploader tells of its progress."""

    def __init__(self) -> None:
        self.all: list[Progress] = []
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, progress: Progress) -> None:
        self.all.append(progress)
        task = asyncio.get_running_loop().create_task(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def bytes_sent(self, count: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self.all and self.all[-1].sent >= count)

    async def pause(self) -> None:
        async with self._news:
            await self._news.wait_for(lambda: any(told.phase is Phase.PAUSED for told in self.all))

    @property
    def reasons(self) -> list[str]:
        return [told.why for told in self.all if told.why is not None]


@pytest.mark.parametrize("parallel", [1, 3])
async def test_cut_connections_are_gone_on_with(
    server: ServerProcess, sample: Sample, parallel: int
) -> None:
    lengths = [100 * KIB, MIB, 3 * MIB, 64 * KIB, 2 * MIB]

    with CuttingProxy(server.url, lengths) as proxy:
        done = await uploader(proxy.url, parallel=parallel).upload(sample.path)

    assert len(lengths) == len(proxy.cuts)
    assert 0 == done.resumed_at
    assert sample.digest == await digest_at(done.url, server)


async def test_a_server_that_dies_and_comes_back_gets_the_rest(
    server: ServerProcess, sample: Sample
) -> None:
    told = Told()
    with CuttingProxy(server.url, rate=16 * MIB) as proxy:
        running = asyncio.create_task(uploader(proxy.url).upload(sample.path, on_progress=told))
        await told.bytes_sent(4 * MIB)
        await asyncio.to_thread(server.kill)
        await told.pause()
        await asyncio.to_thread(server.start)
        done = await running

    assert sample.digest == await digest_at(done.url, server)


async def test_a_connection_that_swallows_everything_is_given_up(
    server: ServerProcess, sample: Sample
) -> None:
    told = Told()
    with CuttingProxy(server.url, [5 * MIB], endings=[Ending.VANISH]) as proxy:
        quick = uploader(proxy.url, stall_timeout=0.5, answer_timeout=0.5)
        done = await quick.upload(sample.path, on_progress=told)

    assert any("nothing got through" in why for why in told.reasons)
    assert sample.digest == await digest_at(done.url, server)


async def test_a_new_link_is_tried_at_once_when_the_old_one_swallows_everything(
    server: ServerProcess, sample: Sample
) -> None:
    links, told = ScriptedLinks(), Told()
    with CuttingProxy(server.url, [5 * MIB], endings=[Ending.VANISH]) as proxy:
        patient = uploader(proxy.url, links, stall_timeout=NEVER, answer_timeout=NEVER)
        running = asyncio.create_task(patient.upload(sample.path, on_progress=told))
        await told.bytes_sent(5 * MIB)
        links.change("wlan0 is down")
        done = await running

    assert ["wlan0 is down"] == told.reasons
    assert sample.digest == await digest_at(done.url, server)


async def test_a_new_link_ends_a_pause(tmp_path: Path, sample: Sample) -> None:
    server = ServerProcess(tmp_path / "data")
    links, told = ScriptedLinks(), Told()
    waiting = uploader(
        server.url,
        links,
        first_delay=NEVER,
        longest_delay=NEVER,
        patience=2 * NEVER,
        first_contact=2 * NEVER,
    )
    running = asyncio.create_task(waiting.upload(sample.path, on_progress=told))
    await told.pause()
    await asyncio.to_thread(server.start)
    try:
        links.change("eth0 is up")
        done = await running

        assert ["Connection refused", "eth0 is up"] == told.reasons
        assert sample.digest == await digest_at(done.url, server)
    finally:
        await asyncio.to_thread(server.stop)


async def test_over_a_link_that_breaks_now_and_then_requests_are_as_small_as_its_kind_wants(
    tmp_path: Path, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Loopback stands in for Wi-Fi; its chunks have 10 MB.
    monkeypatch.setattr("tusd_py.client.machine._RADIO", (InterfaceKind.LOOPBACK,))
    with ServerProcess(tmp_path / "data", "--log-format", "json") as server:
        watching = Uploader(server.url, links="auto", remember=False)
        done = await watching.upload(sample.path)
        assert sample.digest == await digest_at(done.url, server)

    assert 2 == server.log().count('"PATCH"')


async def test_a_peer_that_does_not_read_is_noticed_and_holds_little_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(256 * MIB)
    read = []
    original = Source._read_at

    def counted(source: Source, start: int, size: int) -> bytes:
        read.append(size)
        return original(source, start, size)

    monkeypatch.setattr(Source, "_read_at", counted)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/files/"
        deaf = asyncio.create_task(asyncio.to_thread(_create_and_read_no_more, listener))
        with pytest.raises(GaveUp, match="nothing got through"):
            await uploader(url, stall_timeout=0.5, answer_timeout=0.5, patience=0.1).upload(big)
        (await deaf).close()

    # The kernel's buffers on both sides, the transport's, and the piece that is read ahead.
    assert sum(read) <= 16 * MIB


def _create_and_read_no_more(listener: socket.socket) -> socket.socket:
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(
        b"HTTP/1.1 201 Created\r\nTus-Resumable: 1.0.0\r\nLocation: x\r\nContent-Length: 0\r\n\r\n"
    )
    return connection


async def test_what_answers_without_http_is_called_so(sample: Sample) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        with pytest.raises(GaveUp, match="what came back is no whole HTTP answer"):
            await uploader(f"http://127.0.0.1:{port}/", first_contact=0.2).upload(sample.path)


async def test_who_is_cancelled_leaves_nothing_open(server: ServerProcess, sample: Sample) -> None:
    told = Told()
    with CuttingProxy(server.url, rate=4 * MIB) as proxy:
        running = asyncio.create_task(
            uploader(proxy.url, parallel=2).upload(sample.path, on_progress=told)
        )
        await told.bytes_sent(1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert [] == [task for task in others if "tusd_py" in repr(task.get_coro())]
