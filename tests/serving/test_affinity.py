"""``cpu_affinity``: which processors a server's threads may use."""

import os
from pathlib import Path

import psutil
import pytest

from tests.support.live import Wire, created, patch_head
from tests.support.server import ServerProcess
from tests.support.workers import wait_for_workers, workers
from tusd_py import affinity
from tusd_py.serving.handover import SMALLEST

ALL = os.sched_getaffinity(0) if affinity.available() else set()

pytestmark = pytest.mark.skipif(len(ALL) < 2, reason="needs two processors and Linux")


def test_small_uploads_stay_on_one_processor_and_large_bodies_do_not(tmp_path: Path) -> None:
    options = ("--cpu-affinity", "--durability", "process")
    with ServerProcess(tmp_path / "data", *options) as server, Wire(server.port) as wire:
        own = psutil.Process(server.pid)
        before = {thread.id for thread in own.threads()}
        path = created(server.port, 8 * SMALLEST)
        wire.send(patch_head(path, 8 * SMALLEST), bytes(8 * SMALLEST))
        status = wire.response().status
        moved = [
            os.sched_getaffinity(thread.id) for thread in own.threads() if thread.id not in before
        ]
        main = os.sched_getaffinity(server.pid)

    assert (204, {max(ALL)}) == (status, main)
    assert ALL in moved


def test_each_worker_has_a_processor_of_its_own(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--cpu-affinity", "--workers", "2") as server:
        wait_for_workers(server, 2)
        seen = [os.sched_getaffinity(worker.pid) for worker in workers(server)]

    assert sorted(ALL)[-2:] == sorted(processor for own in seen for processor in own)


def test_without_it_threads_go_where_they_like(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        seen = os.sched_getaffinity(server.pid)

    assert seen == ALL
