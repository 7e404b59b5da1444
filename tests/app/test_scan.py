"""Cleaning up after a process that died, in one pass and without a request."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict

import pytest

from tests.app.test_recovery import crashed, file_of, kind
from tests.spec.served import Backends, Served, upload_id
from tests.support.asgi import DISCONNECT
from tusd_py import Config, FileStorage, Reject, SQLiteMetadata, TusApp, Upload
from tusd_py.errors import MetadataError, StorageError
from tusd_py.locks.file import FileLocks
from tusd_py.locks.memory import MemoryLocks
from tusd_py.metadata import Event, Metadata, Quota, Use
from tusd_py.testing import Fault, FaultyComposingStorage, FaultyMetadata, Plan
from tusd_py.uploads.engine import Engine
from tusd_py.uploads.scan import recover
from tusd_py.uploads.verify import verify

__all__ = ["kind"]

DATA = b"hello world"


def files(backends: Backends) -> list[str]:
    """All files of uploads, below the folder."""
    folders = [backends.folder / name for name in ("uploads", "files", "processes")]
    paths = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    # A process's own files have a dot in their names.
    found = (path for path in paths if not path.suffix)
    return sorted(str(path.relative_to(backends.folder)) for path in found)


async def differences(backends: Backends) -> list[str]:
    storage, metadata = FileStorage(backends.folder), SQLiteMetadata(backends.folder / "tus.db")
    await storage.start(durable=False)
    await metadata.start(durable=False)
    try:
        return await verify(storage, metadata, pause=0)
    finally:
        await metadata.close()
        await storage.close()


async def recovered(backends: Backends, tus: Served | None = None) -> dict[str, int]:
    """What a pass did, without what it did not."""
    tus = tus or await backends.serve()
    engine = await tus.server._runtime.started()
    return {name: count for name, count in asdict(await recover(engine)).items() if count}


async def killed_before_the_record(backends: Backends, *data: bytes) -> None:
    """Store small files that nothing is recorded of."""
    storage = FileStorage(backends.folder)
    await storage.start(durable=False)
    for number, body in enumerate(data):
        name = f"nobody{number}"
        upload = Upload(id=name, length=len(body), created_at=0, path=f"by-day/{name}")  # type: ignore[arg-type]
        await storage.writer(upload).publish([body])
    await storage.close()


async def test_a_small_file_that_was_never_recorded_goes(
    backends: Backends,
) -> None:
    await killed_before_the_record(backends, b"one", b"two")
    tus = await backends.serve()
    kept = await tus.new(DATA, length=11)
    found = await differences(backends)

    done = await recovered(backends, tus)

    assert 2 == done["discarded"]
    assert 2 == len(found)
    assert [] == await differences(backends)
    assert DATA == (await tus.get(kept)).body


@pytest.mark.parametrize("length", [11, 99], ids=["finished", "unfinished"])
@pytest.mark.parametrize("call", [1, 2], ids=["before the bytes", "after the bytes"])
async def test_a_termination_that_was_cut_is_carried_on(
    backends: Backends, length: int, call: int
) -> None:
    # Both the bytes and the record are deleted: the first or the second of these fails.
    plan = Plan(Fault(method="delete", call=call, error=StorageError))
    tus = await backends.serve(
        storage=lambda inner: FaultyComposingStorage(inner, plan),
        metadata=lambda inner: FaultyMetadata(inner, plan),
    )
    url = await tus.new(DATA, length=length)
    assert 500 == (await tus.delete(url)).status
    await backends.stop()
    tus = await backends.serve()

    assert {"expired": 1} == await recovered(backends, tus)
    assert 404 == (await tus.head(url)).status
    assert [] == await asyncio.to_thread(files, backends)


async def test_a_small_file_that_is_being_recorded_is_left(backends: Backends) -> None:
    fault = Fault(method="create", until=asyncio.Event())
    tus = await backends.serve(metadata=lambda inner: FaultyMetadata(inner, Plan(fault)))
    creating = asyncio.create_task(tus.create(DATA, length=11))
    await fault.reached.wait()

    done = await recovered(backends, tus)
    assert fault.until is not None
    fault.until.set()

    assert {} == done
    assert DATA == (await tus.get((await creating).location)).body


async def test_an_upload_that_is_being_received_is_left(backends: Backends) -> None:
    url = await crashed(backends, b"he", b"he")
    # Recorded by another run, and with all its bytes: only the lock tells that it is in use.
    fault = Fault(method="record", until=asyncio.Event())
    tus = await backends.serve(metadata=lambda inner: FaultyMetadata(inner, Plan(fault)))
    patching = asyncio.create_task(tus.patch(url, 2, b"llo world"))
    await fault.reached.wait()

    done = await recovered(backends, tus)
    assert fault.until is not None
    fault.until.set()

    assert {} == done
    assert 204 == (await patching).status
    assert DATA == (await tus.get(url)).body


async def test_an_upload_that_has_all_its_bytes_is_finished(backends: Backends) -> None:
    url = await crashed(backends, b"he", DATA)
    tus = await backends.serve()

    assert {"finished": 1} == await recovered(backends, tus)
    assert (await tus.server.uploads.get(upload_id(url))).finished
    assert DATA == (await tus.get(url)).body


async def test_bytes_that_do_not_count_finish_nothing(backends: Backends) -> None:
    url = await crashed(backends, b"he", DATA)
    tus = await backends.serve(boot_id="another-boot")

    assert {} == await recovered(backends, tus)
    assert 2 == (await tus.head(url)).offset


async def test_an_upload_of_which_bytes_are_missing_is_reported_and_left(
    backends: Backends,
) -> None:
    url = await crashed(backends, b"hello", b"he")

    assert {"damaged": 1} == await recovered(backends)
    assert b"he" == await asyncio.to_thread(file_of(backends, url).read_bytes)
    assert [f"Upload {upload_id(url)}: 5 bytes are recorded, 2 are stored."] == await differences(
        backends
    )


async def test_an_upload_without_bytes_is_no_damage(backends: Backends) -> None:
    await (await backends.serve()).new(length=11)
    await backends.stop()

    assert {} == await recovered(backends)
    assert [] == await differences(backends)


async def test_an_upload_that_has_expired_is_not_finished_but_removed(backends: Backends) -> None:
    await crashed(backends, b"he", DATA)
    tus = await backends.serve(Config(expire_after=10))
    backends.clock.advance(8 * 24 * 3600)

    assert {"expired": 1} == await recovered(backends, tus)
    assert [] == await tus.server.uploads.list()


async def test_what_the_application_refuses_stays_as_it_is(backends: Backends) -> None:
    first, second = [await crashed(backends, b"he", DATA) for _ in range(2)]

    def setup(server: TusApp) -> None:
        @server.before_finish
        async def refuse(upload: Upload) -> None:
            if upload.id == upload_id(first):
                raise Reject(403, "no")

    tus = await backends.serve(setup=setup)

    assert {"finished": 1} == await recovered(backends, tus)
    assert 403 == (await tus.patch(first, 11)).status
    assert DATA == (await tus.get(second)).body


async def test_final_uploads_are_composed_once_their_parts_are_finished(
    backends: Backends,
) -> None:
    tus = await backends.serve()
    part = await tus.part(b"", length=11)
    final = (await tus.concatenate(part)).location
    await tus.patch(part, 0, b"he", DISCONNECT)
    await backends.stop()
    await asyncio.to_thread(file_of(backends, part).write_bytes, DATA)
    tus = await backends.serve()

    assert {"finished": 1, "composed": 1} == await recovered(backends, tus)
    assert DATA == (await tus.get(final)).body


async def test_a_final_upload_that_waits_for_a_part_goes_on_waiting(backends: Backends) -> None:
    tus = await backends.serve()
    part = await tus.part(b"he", length=11)
    final = (await tus.concatenate(part)).location
    await backends.stop()
    tus = await backends.serve()

    assert {} == await recovered(backends, tus)
    assert (await tus.head(final)).offset is None


async def test_a_second_pass_has_nothing_to_do(backends: Backends) -> None:
    await crashed(backends, b"he", DATA)
    await killed_before_the_record(backends, b"one")
    tus = await backends.serve()

    assert {"discarded": 1, "finished": 1} == await recovered(backends, tus)
    assert {} == await recovered(backends, tus)


class Following(MemoryLocks):
    """Locks of a process that leads from the second time on that it asks."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def leads(self) -> bool:
        self.asked += 1
        return self.asked > 1


async def test_a_process_that_begins_to_lead_cleans_up_by_itself(
    backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await crashed(backends, b"he", DATA)
    monkeypatch.setattr("tusd_py.asgi.runtime._ASK_AGAIN", 0)
    locks = Following()
    server = TusApp(
        storage=backends.storage(),
        metadata=backends.metadata(),
        locks=locks,
        clock=backends.clock,
        boot_id="a-boot",
    )
    async with server.running():
        async with asyncio.timeout(10):
            while not (await server.uploads.get(upload_id(url))).finished:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        assert locks.asked >= 2


async def test_the_process_that_leads_cleans_up_after_each_that_dies(
    backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: asyncio.Queue[Engine] = asyncio.Queue()
    locks = FileLocks(backends.folder)
    monkeypatch.setattr("tusd_py.asgi.runtime._ASK_AGAIN", 0.01)
    monkeypatch.setattr("tusd_py.asgi.runtime.recover", passes.put)
    server = TusApp(storage=backends.storage(), metadata=backends.metadata(), locks=locks)
    async with server.running(), asyncio.timeout(10):
        await passes.get()
        for pid in (1, 2):
            await asyncio.sleep(0.05)
            assert passes.empty()
            # Nobody reads from it.
            os.mkfifo(backends.folder / f"{pid}-dead.fifo")
            await passes.get()


class CommitsLate(FaultyMetadata):
    """A store whose ``create`` is under way when its caller is cancelled, and succeeds."""

    def __init__(self, inner: Metadata) -> None:
        super().__init__(inner, Plan())
        self.reached = asyncio.Event()
        self.going_on = asyncio.Event()
        self.committing: asyncio.Task[None] | None = None

    async def create(
        self,
        upload: Upload,
        *,
        events: Sequence[Event] = (),
        use: Use | None = None,
        quota: Quota | None = None,
    ) -> None:
        assert (None, None) == (use, quota)
        self.committing = asyncio.create_task(self._late(upload, events))
        self.reached.set()
        await asyncio.shield(self.committing)

    async def _late(self, upload: Upload, events: Sequence[Event]) -> None:
        await self.going_on.wait()
        await self.inner.create(upload, events=events)


async def test_a_creation_that_is_cancelled_while_it_is_recorded_keeps_its_bytes(
    backends: Backends,
) -> None:
    late: list[CommitsLate] = []

    def wrap(inner: Metadata) -> Metadata:
        late.append(CommitsLate(inner))
        return late[0]

    tus = await backends.serve(metadata=wrap)
    creating = asyncio.create_task(tus.create(DATA, length=11))
    await late[0].reached.wait()
    creating.cancel()
    await asyncio.wait((creating,))
    late[0].going_on.set()
    assert late[0].committing is not None
    await late[0].committing

    (upload,) = await tus.server.uploads.list()
    assert upload.finished
    assert DATA == await tus.stored(f"/files/{upload.id}")
    await backends.stop()
    assert {} == await recovered(backends)


async def test_a_creation_that_could_not_be_recorded_leaves_nothing(backends: Backends) -> None:
    fault = Fault(method="create", error=MetadataError)
    tus = await backends.serve(metadata=lambda inner: FaultyMetadata(inner, Plan(fault)))

    assert 500 == (await tus.create(DATA, length=11)).status
    assert [] == await asyncio.to_thread(files, backends)
    assert {} == (await tus.server._runtime.started()).unsettled


async def test_what_another_process_is_about_to_record_is_left(backends: Backends) -> None:
    fault = Fault(method="create", until=asyncio.Event())
    other = await backends.serve(metadata=lambda inner: FaultyMetadata(inner, Plan(fault)))
    creating = asyncio.create_task(other.create(DATA, length=11))
    await fault.reached.wait()

    done = await recovered(backends, await backends.serve())
    assert fault.until is not None
    fault.until.set()

    assert {} == done
    assert DATA == (await other.get((await creating).location)).body
