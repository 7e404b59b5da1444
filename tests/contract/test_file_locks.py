"""Locks between processes: two objects on one folder are strangers, as two processes are."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tusd_py.errors import LockTimeout, StorageError
from tusd_py.locks import kernel
from tusd_py.locks.file import FileLocks
from tusd_py.protocol.upload import UploadId
from tusd_py.testing import LocksContract
from tusd_py.testing.holder import LONG, Holder
from tusd_py.testing.locks import SHORT


class TestFileLocks(LocksContract):
    @pytest.fixture
    def locks(self, tmp_path: Path) -> FileLocks:
        return FileLocks(tmp_path / "locks")


class TestFileLocksWhereOnlyProcessesHaveLocks(LocksContract):
    @pytest.fixture
    def locks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileLocks:
        monkeypatch.setattr(kernel, "_SET", None)
        return FileLocks(tmp_path / "locks")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[FileLocks]:
    locks = FileLocks(tmp_path)
    await locks.start()
    yield locks
    await locks.close()


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[FileLocks]:
    locks = FileLocks(tmp_path)
    await locks.start()
    yield locks
    await locks.close()


async def held(locks: FileLocks, name: str, log: list[str], *, leaves: bool = False) -> Holder:
    holder = Holder(locks, name, log, leaves=leaves)
    holder.start()
    await holder.held.wait()
    return holder


async def test_a_lease_excludes_other_processes(here: FileLocks, there: FileLocks) -> None:
    holder = await held(here, "here", [])

    with pytest.raises(LockTimeout):
        await Holder(there, "there", []).start(timeout=0)
    with pytest.raises(LockTimeout):
        await Holder(there, "there", []).start(timeout=SHORT)
    await holder.leave()


async def test_a_holder_in_another_process_is_asked_to_leave_and_its_lease_had_at_once(
    here: FileLocks, there: FileLocks
) -> None:
    log: list[str] = []
    await held(here, "here", log, leaves=True)
    now = asyncio.get_running_loop().time
    began = now()
    rival = await held(there, "there", log)

    # Far below the 100 ms after which a waiter looks by itself.
    assert now() - began < 0.09
    assert log == ["here", "there"]
    await rival.leave()


async def test_without_asking_the_holder_is_left_alone(here: FileLocks, there: FileLocks) -> None:
    holder = await held(here, "here", [])

    with pytest.raises(LockTimeout):
        await Holder(there, "there", []).start(timeout=SHORT, ask=False)

    assert holder.times_asked == 0
    await holder.leave()


async def test_rivals_in_two_processes_that_keep_coming_both_get_in(
    here: FileLocks, there: FileLocks
) -> None:
    log: list[str] = []

    async def keep_coming(locks: FileLocks, name: str) -> None:
        while log.count(name) < 5:
            await (await held(locks, name, log, leaves=True)).asked.wait()

    first = asyncio.create_task(keep_coming(here, "here"))
    second = asyncio.create_task(keep_coming(there, "there"))
    async with asyncio.timeout(LONG):
        await asyncio.wait((first, second), return_when=asyncio.FIRST_COMPLETED)
    for task in (first, second):
        task.cancel()

    assert min(log.count("here"), log.count("there")) >= 3


async def test_waiters_inside_let_who_asked_from_outside_go_first(
    here: FileLocks, there: FileLocks
) -> None:
    log: list[str] = []
    holder = await held(here, "here", log)
    outside = Holder(there, "outside", log, leaves=True)
    outside.start()
    await holder.asked.wait()
    inside = Holder(here, "inside", log)
    inside.start()
    await holder.leave()
    await inside.held.wait()

    assert log == ["here", "outside", "inside"]
    await inside.leave()


async def test_a_request_that_came_too_late_disturbs_nobody(
    here: FileLocks, there: FileLocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = await held(here, "here", [])
    arrived: list[str] = []
    monkeypatch.setattr(here, "_read", arrived.append)
    asyncio.get_running_loop().remove_reader(here._mailbox.fd)  # type: ignore[union-attr]
    with pytest.raises(LockTimeout):
        await Holder(there, "there", []).start(timeout=SHORT)
    monkeypatch.undo()
    here._read()

    assert holder.times_asked == 0
    await holder.leave()


async def test_one_of_all_leads_until_it_ends(here: FileLocks, there: FileLocks) -> None:
    first = (here.leads(), there.leads(), here.leads())
    await here.close()

    assert first == (True, False, True)
    assert there.leads()


async def test_many_leases_at_once(here: FileLocks, there: FileLocks) -> None:
    ids = [UploadId(f"upload-{number}") for number in range(500)]
    async with AsyncExitStack() as stack:
        for upload_id in ids:
            await stack.enter_async_context(here.hold(upload_id, timeout=0, on_revoke=lambda: None))
        with pytest.raises(LockTimeout):
            async with there.hold(ids[-1], timeout=0, on_revoke=lambda: None):
                pass
    for upload_id in ids:
        async with there.hold(upload_id, timeout=0, on_revoke=lambda: None):
            pass


async def test_nothing_is_left_in_the_folder_but_the_lock_file(
    here: FileLocks, tmp_path: Path
) -> None:
    holder = await held(here, "here", [])
    await holder.leave()
    await here.close()

    left = await asyncio.to_thread(lambda: [found.name for found in tmp_path.iterdir()])
    assert left == ["uploads.lock"]


async def test_a_process_that_died_is_told_of_once(here: FileLocks, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1-dead.fifo")

    assert [True, False] == [await here.others_died() for _ in range(2)]


async def test_a_process_that_lives_or_has_ended_well_did_not_die(
    here: FileLocks, there: FileLocks
) -> None:
    alive = await here.others_died()
    await there.close()

    assert (False, False) == (alive, await here.others_died())


async def test_the_mailbox_of_a_dead_process_is_cleared_away_once_that_was_told(
    here: FileLocks, there: FileLocks, tmp_path: Path
) -> None:
    dead = tmp_path / "1-dead.fifo"
    os.mkfifo(dead)
    holder = await held(here, "here", [])
    with pytest.raises(LockTimeout):
        await Holder(there, "there", []).start(timeout=SHORT)

    assert not await asyncio.to_thread(dead.exists)
    assert await here.others_died()
    assert not await asyncio.to_thread(lambda: [*tmp_path.glob("1-dead*")])
    await holder.leave()


async def test_who_has_no_descriptor_left_does_not_take_the_others_for_dead(
    here: FileLocks, there: FileLocks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_more(*_: object) -> int:
        raise OSError(errno.EMFILE, "no more")

    holder = await held(here, "here", [])
    monkeypatch.setattr(os, "open", no_more)
    with pytest.raises(LockTimeout):
        await Holder(there, "there", []).start(timeout=SHORT)
    await holder.leave()
    await there.close()
    monkeypatch.undo()

    left = await asyncio.to_thread(lambda: [*tmp_path.glob("*.fifo")])
    assert 1 == len(left)


async def test_a_folder_without_named_pipes_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mkfifo(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no pipes here")

    monkeypatch.setattr(os, "mkfifo", mkfifo)
    with pytest.raises(StorageError, match="cannot hold locks"):
        await FileLocks(tmp_path).start()
