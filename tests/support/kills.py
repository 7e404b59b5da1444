"""A server that is killed again and again while clients upload to it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.senders import Client
from tests.support.server import REPOSITORY, ServerProcess, environment

SEED = "TUSD_PY_TESTS_SEED"

_CLIENTS = 8
_LONGEST_LIFE = 0.25
# So often the server dies while it still cleans up after the last time.
_AT_ONCE = 0.15
_PATIENCE = 30.0
_SHOWN = 2000


def seed() -> int:
    """The seed of a run: that of the environment, to repeat one, or a new one."""
    return int(os.environ.get(SEED) or random.SystemRandom().randrange(10**9))


def survive(data_dir: Path, kills: int, run: int, *options: str) -> None:
    """Kill a server at random moments, and look at what is there each time it is back.

    At the end everything under way is finished, all finished files are read, and database and
    files agree after one pass of cleaning up.
    """
    chance = _repeatable(run)
    clients = [Client(_repeatable(chance.random())) for _ in range(_CLIENTS)]
    server = ServerProcess(data_dir, *options)
    try:
        with ThreadPoolExecutor(_CLIENTS) as threads:
            for _ in range(kills):
                _live_and_die(server, clients, chance, threads)
            since = server.log_size()
            server.start()
            list(threads.map(lambda client: client.check(server.port), clients))
            _wait_until_recovered(server, since)
            assert [] == differences(data_dir), "after one pass"
            list(threads.map(lambda client: client.finish(server.port), clients))
            list(threads.map(lambda client: client.check_finished(server.port), clients))
        assert 0 == server.stop()
        assert [] == differences(data_dir), "at the end"
    except BaseException as error:
        error.add_note(f"Repeat with {SEED}={run}\n{server.log()[-_SHOWN:]}")
        raise
    finally:
        if server.running:
            server.kill()


def _repeatable(number: float) -> random.Random:
    return random.Random(number)  # noqa: S311 - no secret


def differences(data_dir: Path) -> list[str]:
    """What ``tusd-py verify`` finds."""
    command = [sys.executable, "-m", "tusd_py", "verify", "--data-dir", str(data_dir)]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


def _live_and_die(
    server: ServerProcess,
    clients: list[Client],
    chance: random.Random,
    threads: ThreadPoolExecutor,
) -> None:
    server.start()
    if chance.random() >= _AT_ONCE:
        list(threads.map(lambda client: client.check(server.port), clients))
    running = [threads.submit(client.run, server.port) for client in clients]
    time.sleep(chance.random() * _LONGEST_LIFE)
    server.kill()
    for client in running:
        client.result()


def _wait_until_recovered(server: ServerProcess, since: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while "recovery.done" not in server.log(since):
        assert time.monotonic() < deadline, "the server does not clean up"
        time.sleep(0.02)
