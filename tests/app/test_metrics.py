"""What an application does is counted, and told on a page that it mounts."""

import asyncio
import errno
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from tests.support.asgi import DISCONNECT, Client, ScriptedConnection
from tests.support.clock import Clock
from tests.support.hooks import Answer, Heard, hook_server, saying
from tests.support.metrics import Page, parsed
from tusd_py import Config, FileStorage, HttpHooks, MemoryMetadata, Reject, TusApp, Upload
from tusd_py.hooks import NewUpload
from tusd_py.quantities import MiB
from tusd_py.storage import disk
from tusd_py.testing.script import Stall

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000_000.0)


@pytest.fixture
async def tus(tmp_path: Path, clock: Clock) -> AsyncIterator[TusApp]:
    config = Config(expire_after=60, lock_timeout=0.2, recover_at_start=False, sweep_interval=0)
    tus = TusApp(
        storage=FileStorage(tmp_path), metadata=MemoryMetadata(), config=config, clock=clock
    )
    yield tus
    await tus._runtime.close()


@pytest.fixture
def client(tus: TusApp) -> Client:
    return Client(Starlette(routes=[*tus.routes("/files"), *tus.metrics_routes()]))


async def read(client: Client) -> Page:
    response = await client.get("/metrics")
    assert 200 == response.status
    return parsed(response.body.decode())


async def read_until(client: Client, sample: str, value: float, **labels: str) -> Page:
    async with asyncio.timeout(10):
        while True:
            page = await read(client)
            if page.get(sample, **labels) == value:
                return page


async def test_the_life_of_an_upload_is_counted(client: Client, clock: Clock) -> None:
    url = await client.new(length=10)
    await client.patch(url, 0, b"hello")
    clock.now += 30
    await client.patch(url, 5, b"world")
    assert b"helloworld" == (await client.get(url)).body
    await client.delete(url)
    page = await read(client)

    assert 10 == page.get("received_bytes_total") == page.get("sent_bytes_total")
    assert (1, 1, 1) == (
        page.get("uploads_created_total"),
        page.get("uploads_finished_total"),
        page.get("uploads_terminated_total"),
    )
    assert (1, 30) == (
        page.get("upload_duration_seconds_count"),
        page.get("upload_duration_seconds_sum"),
    )
    assert (2, 10) == (page.get("chunk_size_bytes_count"), page.get("chunk_size_bytes_sum"))
    assert 2 == page.get("requests_total", method="PATCH", status="204")
    assert 5 == page.get("request_duration_seconds_count")
    assert (0, 0) == (page.get("transfers_active"), page.get("downloads_active"))


async def test_a_small_file_in_one_request_is_counted_the_same(client: Client) -> None:
    connection = ScriptedConnection(whole=True)
    await client.create(b"hello", length=5, connection=connection)
    page = await read(client)

    assert (1, 1) == (page.get("uploads_created_total"), page.get("uploads_finished_total"))
    assert (5, 5) == (page.get("received_bytes_total"), page.get("chunk_size_bytes_sum"))
    assert (1, 5) == (page.get("batch_size_bytes_count"), page.get("batch_size_bytes_sum"))


async def test_a_transfer_is_seen_while_it_runs(client: Client) -> None:
    url = await client.new(length=MiB)
    reached, on = asyncio.Event(), asyncio.Event()
    half, stall = bytes(MiB // 2), Stall(until=on, reached=reached)
    patch = asyncio.create_task(client.patch(url, 0, half, stall, half))
    await reached.wait()
    during = await read_until(client, "received_bytes_total", MiB // 2)
    on.set()
    await patch
    after = await read(client)

    assert (MiB // 2, 1) == (during.get("received_bytes_total"), during.get("transfers_active"))
    assert (MiB, 0) == (after.get("received_bytes_total"), after.get("transfers_active"))
    assert 0 == after.get("buffer_used_bytes")
    assert 64 * MiB == after.get("buffer_limit_bytes")
    assert 1 == after.get("transfer_throughput_bytes_per_second_count")


async def test_errors_are_counted_by_code_and_clients_that_left(client: Client) -> None:
    url = await client.new(length=10)
    await client.patch(url, 7, b"x")
    await client.patch(url, 0, b"hello", DISCONNECT)
    page = await read(client)

    assert 1 == page.get("errors_total", code="offset-mismatch")
    assert 1 == page.get("errors_total", code="transfer-stopped")
    assert 1 == page.get("requests_total", method="PATCH", status="499")
    assert 5 == page.get("received_bytes_total")


async def test_what_could_not_be_written_waits_in_memory_no_more(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_at, calls = disk.write_at, []

    def fail_later(*args: Any) -> Iterator[int]:  # noqa: ANN401 - as it is called
        calls.append(args)
        if len(calls) > 1:
            raise OSError(errno.EIO, "broken")
        return write_at(*args)

    url = await client.new(length=2 * MiB)
    monkeypatch.setattr(disk, "write_at", fail_later)
    assert 500 == (await client.patch(url, 0, bytes(MiB), bytes(MiB))).status
    page = await read(client)

    assert (0, MiB) == (page.get("buffer_used_bytes"), page.get("received_bytes_total"))
    assert 1 == page.get("errors_total", code="storage-error")


async def test_a_take_over_is_counted_with_its_wait(client: Client) -> None:
    url = await client.new(length=10)
    reached = asyncio.Event()
    holder = asyncio.create_task(client.patch(url, 0, b"hello", Stall(reached=reached)))
    await reached.wait()
    assert 5 == (await client.head(url)).offset
    await holder
    page = await read(client)

    assert (1, 0) == (page.get("lock_takeovers_total"), page.get("lock_timeouts_total"))
    assert 1 == page.get("lock_wait_seconds_count")


async def test_who_waits_in_vain_is_counted(client: Client, tus: TusApp) -> None:
    url = await client.new(length=10)
    engine = await tus._runtime.started()
    upload = (await tus.uploads.list())[0]
    async with engine.unused(upload.id):
        assert 423 == (await client.head(url)).status
    page = await read(client)

    assert (0, 1) == (page.get("lock_takeovers_total"), page.get("lock_timeouts_total"))
    assert page.get("lock_wait_seconds_sum") >= 0.19


async def test_sweeps_are_counted_with_what_they_removed(
    client: Client, tus: TusApp, clock: Clock
) -> None:
    await client.new(length=10)
    clock.now += 61
    assert 1 == await tus.sweep()
    page = await read(client)

    assert (1, 1) == (page.get("uploads_expired_total"), page.get("sweeps_total"))
    assert clock.now == page.get("last_sweep_timestamp_seconds")


async def test_calls_of_the_application_are_counted_by_outcome(client: Client, tus: TusApp) -> None:
    told = asyncio.Event()

    @tus.on_create
    async def create(new: NewUpload) -> None:
        if new.length == 1:
            raise Reject(403, "no")
        if new.length == 2:
            raise ValueError

    @tus.on_finish
    async def finished(_: Upload, __: str) -> None:
        told.set()

    for length in (1, 2, 5):
        await client.create(b"hello"[:length], length=length)
    await told.wait()
    page = await read_until(client, "outbox_events", 0)

    calls = {
        outcome: page.get("hook_calls_total", hook="on_create", outcome=outcome)
        for outcome in ("ok", "rejected", "failed")
    }
    assert {"ok": 1, "rejected": 1, "failed": 1} == calls
    assert 3 == page.get("hook_duration_seconds_count", hook="on_create")
    assert 1 == page.get("hook_calls_total", hook="on_finish", outcome="ok")


async def test_the_room_left_is_told(client: Client, tus: TusApp) -> None:
    page = await read(client)
    free = await (await tus._runtime.started()).storage.free()

    assert free is not None
    assert abs(free - page.get("storage_free_bytes")) < free / 2
    assert 1 == page.get("processes")


async def test_a_number_that_cannot_be_had_keeps_no_other_back(
    client: Client, tus: TusApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hanging() -> float:
        await asyncio.Event().wait()
        return 0.0

    monkeypatch.setattr("tusd_py.asgi.metrics._PATIENCE", 0.05)
    (await tus._runtime.started()).samples["outbox_events"] = hanging
    page = await read(client)

    assert "tusd_py_outbox_events" not in page.families
    assert "tusd_py_storage_free_bytes" in page.families


async def test_head_has_no_body_and_other_methods_are_refused(client: Client) -> None:
    head = await client.request("HEAD", "/metrics")
    post = await client.request("POST", "/metrics")

    assert (200, b"") == (head.status, head.body)
    assert (405, "GET, HEAD") == (post.status, post.header("allow"))


async def test_hooks_over_http_and_what_waits_for_them_are_counted(tmp_path: Path) -> None:
    def say(heard: Heard) -> Answer:
        if heard.type == "post-create":
            return Answer(status=500)
        return saying({"RejectUpload": "name" in heard.upload["MetaData"]})

    with hook_server() as hooks:
        hooks.say = say
        config = Config(hooks=HttpHooks(url=hooks.url), recover_at_start=False)
        tus = TusApp(storage=FileStorage(tmp_path), metadata=MemoryMetadata(), config=config)
        client = Client(Starlette(routes=[*tus.routes("/files"), *tus.metrics_routes()]))
        async with tus.running():
            await client.create(length=5, headers=[("Upload-Metadata", "name YQ==")])
            await client.new(length=5)
            page = await read_until(
                client, "hook_calls_total", 1, hook="post-create", outcome="failed"
            )

    assert [1, 1] == [
        page.get("hook_calls_total", hook="pre-create", outcome=outcome)
        for outcome in ("ok", "rejected")
    ]
    assert (1, 0) == (page.get("outbox_events"), page.get("outbox_dead_events"))
