"""Several processes on one socket and one folder."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.support.live import Wire, created, offset_of, patch_head, wait_until_stored
from tests.support.senders import path_of
from tests.support.server import ServerProcess
from tests.support.workers import connected, wait_for_workers, wait_until, workers

PATIENCE = 20.0
LOCK_TIMEOUT = 1.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    options = ("--workers", "2", "--lock-timeout", f"{LOCK_TIMEOUT:.0f}s", "--log-format", "json")
    with ServerProcess(tmp_path / "data", *options) as server:
        wait_for_workers(server, 2)
        yield server


def stalled(
    server: ServerProcess, stack: ExitStack, path: str, *, elsewhere: int = 0
) -> tuple[Wire, int]:
    """Send half of a body of ten bytes, and no more, to any worker, or to another than that."""
    wire, worker = connected(server, stack, elsewhere=elsewhere)
    wire.send(patch_head(path, 10), b"hello")
    wire.wait_until_arrived()
    wait_until_stored(server.data_dir, 5)
    return wire, worker


def test_a_rival_on_another_worker_gets_in_within_half_a_second(server: ServerProcess) -> None:
    path = created(server.port, 10)
    with ExitStack() as stack:
        holder, worker = stalled(server, stack, path)
        rival, _ = connected(server, stack, elsewhere=worker)
        began = time.monotonic()
        response = rival.request("HEAD", path)
        seconds = time.monotonic() - began

        assert (200, "5") == (response.status, response.headers["upload-offset"])
        assert seconds < 0.5
        assert 423 == holder.response().status


def test_a_stopped_worker_keeps_its_upload_and_others_are_told_to_come_back(
    server: ServerProcess,
) -> None:
    path = created(server.port, 10)
    with ExitStack() as stack:
        holder, worker = stalled(server, stack, path)
        rival, _ = connected(server, stack, elsewhere=worker)
        os.kill(worker, signal.SIGSTOP)
        try:
            began = time.monotonic()
            status = rival.request("HEAD", path).status
            seconds = time.monotonic() - began
        finally:
            os.kill(worker, signal.SIGCONT)
        assert 423 == status
        assert LOCK_TIMEOUT <= seconds < 2 * LOCK_TIMEOUT
        # What the worker was asked while it could not answer disturbs nobody now.
        holder.send(b"world")
        assert 204 == holder.response().status


def test_the_upload_of_a_killed_worker_goes_on_and_the_worker_is_replaced(
    server: ServerProcess,
) -> None:
    with ExitStack() as stack:
        rival, survivor = connected(server, stack)
        # Who is asked later recorded it last: only its file tells of the other's bytes.
        path = path_of(rival.request("POST", "/files/", upload_length="10"))
        _, worker = stalled(server, stack, path, elsewhere=survivor)
        os.kill(worker, signal.SIGKILL)
        response = rival.request("HEAD", path)

    assert (200, "5") == (response.status, response.headers["upload-offset"])
    wait_until(lambda: worker not in pids(server) and len(pids(server)) == 2)


def pids(server: ServerProcess) -> set[int]:
    return {worker.pid for worker in workers(server)}


def test_a_worker_that_shows_no_life_is_replaced(server: ServerProcess) -> None:
    stopped = workers(server)[0].pid
    os.kill(stopped, signal.SIGSTOP)

    wait_until(lambda: stopped not in pids(server) and len(pids(server)) == 2)
    assert "worker.silent" in server.log()


def test_sigterm_saves_the_uploads_of_all_workers_and_leaves_no_process(
    server: ServerProcess,
) -> None:
    paths = [created(server.port, 10) for _ in range(2)]
    before = workers(server)
    with ExitStack() as stack:
        first, worker = connected(server, stack)
        second, _ = connected(server, stack, elsewhere=worker)
        for wire, path in zip((first, second), paths, strict=True):
            wire.send(patch_head(path, 10), b"hello")
            wire.wait_until_arrived()
        wait_until_stored(server.data_dir, 10)
        os.kill(server.pid, signal.SIGTERM)
        assert [503, 503] == [first.response().status, second.response().status]
        stack.close()
        assert 0 == server.stop()
    assert not [worker for worker in before if worker.is_running()]
    server.start()
    assert [5, 5] == [offset_of(server.port, path) for path in paths]


def test_workers_do_not_outlive_who_looks_after_them(server: ServerProcess) -> None:
    before = workers(server)
    server.kill()
    gone, alive = psutil.wait_procs(before, timeout=PATIENCE)
    server.start()

    assert (2, 0) == (len(gone), len(alive))


def test_a_folder_that_cannot_be_used_is_said_once_with_exit_1(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "uploads").write_text("in the way")
    server = ServerProcess(tmp_path / "data", "--workers", "3")
    with pytest.raises(Exception, match="exit code 1 at start") as raised:
        server.start()

    assert 1 == str(raised.value).count("cannot be used")
    assert "Traceback" not in str(raised.value)
