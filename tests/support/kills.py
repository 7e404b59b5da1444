"""A server that is killed again and again while clients upload to it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.senders import Client
from tests.support.server import REPOSITORY, ServerProcess, environment
from tests.support.workers import kill_all, kill_worker, wait_for_workers, wait_until

SEED = "TUSD_PY_TESTS_SEED"

_CLIENTS = 8
_LONGEST_LIFE = 0.25
# So often the server dies while it still cleans up after the last time, or a worker while another
# takes the place of the last one.
_AT_ONCE = 0.15
# So many workers die one after the other, at most, before all processes die together.
_WORKERS_FIRST = 4
_SHOWN = 2000


def seed() -> int:
    """The seed of a run: that of the environment, to repeat one, or a new one."""
    return int(os.environ.get(SEED) or random.SystemRandom().randrange(10**9))


def survive(data_dir: Path, kills: int, run: int, *options: str, processes: int = 1) -> None:
    """Kill a server at random moments, and look at what is there each time it is back.

    Of several worker processes single ones are killed, and now and then all that there is. A worker
    takes no connection with it but its own; who had one looks at what is there at once.

    After that database and files agree after one pass of cleaning up. They also come to agree if
    nobody starts the server anew after workers died. At the end everything under way is finished,
    and all finished files are read.

    Args:
        data_dir: The server's.
        kills: How many there are, of either sort.
        run: The seed.
        options: The server's, beside the number of processes.
        processes: How many serve.
    """
    chance = _repeatable(run)
    clients = [Client(_repeatable(chance.random())) for _ in range(_CLIENTS)]
    server = ServerProcess(data_dir, "--workers", str(processes), *options)
    try:
        with ThreadPoolExecutor(_CLIENTS) as threads:
            load = _Load(server, processes, clients, chance, threads)
            _die(load, kills)
            _come_back(load)
            if processes > 1:
                # Not the one that leads: whoever takes its place cleans up in any case.
                load.run(kills // 4, end=lambda _: None, spared=1)
                wait_until(lambda: not differences(data_dir), "nobody cleans up after workers")
                # Who was cut by the last death has not looked yet.
                load.each(Client.check)
            load.each(Client.finish)
            load.each(Client.check_finished)
        assert 0 == server.stop()
        left = differences(data_dir)
        assert not left, f"at the end there is {left}"
    except BaseException as error:
        error.add_note(f"Repeat with {SEED}={run}\n{server.log()[-_SHOWN:]}")
        raise
    finally:
        if server.running:
            server.kill()


def _repeatable(number: float) -> random.Random:
    return random.Random(number)  # noqa: S311 - no secret


def differences(data_dir: Path) -> list[str]:
    """What ``tusd-py verify`` finds, and the folders of processes that have ended."""
    command = [sys.executable, "-m", "tusd_py", "verify", "--data-dir", str(data_dir)]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    found = [] if done.returncode == 0 else [done.stdout + done.stderr]
    folders = (data_dir / "processes").glob("*")
    return found + [folder.name for folder in folders if not _is_of_the_living(folder)]


def _is_of_the_living(folder: Path) -> bool:
    return psutil.pid_exists(int(folder.name.partition("-")[0]))


@dataclass(frozen=True)
class _Load:
    """Clients that upload to a server of so many processes."""

    server: ServerProcess
    processes: int
    clients: list[Client]
    chance: random.Random
    threads: ThreadPoolExecutor

    def each(self, what: Callable[[Client, int], None]) -> None:
        """Have all clients do something at once."""
        list(self.threads.map(lambda client: what(client, self.server.port), self.clients))

    def run(self, deaths: int, end: Callable[[ServerProcess], None], *, spared: int = 0) -> None:
        """Upload while workers die one after the other, but not the oldest ones, until the end."""
        if self.chance.random() >= _AT_ONCE:
            self.each(Client.check)
        over = threading.Event()
        port = self.server.port
        running = [self.threads.submit(client.run, port, over) for client in self.clients]
        broken: set[int] = set()
        try:
            for _ in range(deaths):
                starting = self.chance.random() < _AT_ONCE
                wait_for_workers(self.server, self.processes, starting=starting)
                time.sleep(self.chance.random() * _LONGEST_LIFE)
                broken |= kill_worker(self.server, self.chance, spared)
            time.sleep(self.chance.random() * _LONGEST_LIFE)
        finally:
            over.set()
            end(self.server)
        for client in running:
            assert client.result() <= broken, "a connection was cut that no killed worker had"


def _die(load: _Load, kills: int) -> None:
    while kills:
        most = min(kills - 1, _WORKERS_FIRST) if load.processes > 1 else 0
        first = load.chance.randint(0, most)
        load.server.start()
        load.run(first, kill_all)
        kills -= first + 1


def _come_back(load: _Load) -> None:
    since = load.server.log_size()
    load.server.start()
    load.each(Client.check)
    wait_until(lambda: load.server.wrote("recovery.done", since), "the server does not clean up")
    left = differences(load.server.data_dir)
    assert not left, f"after one pass there is {left}"
