"""The standalone server's health, beside its uploads."""

import json
import os
import signal
from pathlib import Path

from tests.support.live import Wire, WireResponse
from tests.support.server import ServerProcess
from tests.support.workers import wait_for_workers, wait_until


def ask(server: ServerProcess, path: str) -> WireResponse:
    with Wire(server.port) as wire:
        return wire.request("GET", path)


def test_health_lies_outside_the_base_path(tmp_path: Path) -> None:
    options = ("--base-path", "/", "--durability", "process")
    with ServerProcess(tmp_path / "data", *options) as server:
        live, ready = ask(server, "/healthz"), ask(server, "/readyz")
        elsewhere = ask(server, "/healthz/")

    assert (200, 200) == (live.status, ready.status)
    assert "tus-resumable" not in ready.headers
    assert [] == json.loads(ready.body)["failing"]
    assert 404 == elsewhere.status


def test_each_of_several_workers_answers_for_all(tmp_path: Path) -> None:
    options = ("--workers", "2", "--min-free", "1PB")
    with ServerProcess(tmp_path / "data", *options) as server:
        wait_for_workers(server, 2)
        answers = [ask(server, "/readyz") for _ in range(10)]

    assert {503} == {answer.status for answer in answers}
    assert all(["room"] == json.loads(answer.body)["failing"] for answer in answers)


def test_a_server_that_was_told_to_stop_is_never_ready_again(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--durability", "process") as server:
        assert 200 == ask(server, "/readyz").status
        os.kill(server.pid, signal.SIGTERM)
        seen: list[int | None] = []

        def gone() -> bool:
            try:
                seen.append(ask(server, "/readyz").status)
            except OSError:
                seen.append(None)
            return seen[-1] is None

        wait_until(gone)
        server.wait()

    assert 200 not in seen[1:]
