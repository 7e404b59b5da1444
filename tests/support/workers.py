"""The processes of a server with several workers, from outside."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import psutil

from tests.support.server import ServerProcess

_PATIENCE = 20.0


def wait_until(done: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + _PATIENCE
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def workers(server: ServerProcess) -> list[psutil.Process]:
    """The processes that serve, without those that Python's multiprocessing needs."""
    return [child for child in psutil.Process(server.pid).children() if _serves(child)]


def kill_worker(server: ServerProcess, chance: random.Random) -> set[int]:
    """SIGKILL any worker; returns the clients' ports of the connections that it had."""
    victim = chance.choice(workers(server))
    # It accepts nothing more that would not be listed.
    _suspend(victim)
    # A socket that listens has no other side.
    ports = {port for found in victim.net_connections() for port in found.raddr[1:]}
    victim.kill()
    # It may be seen as one of the workers until it is gone.
    victim.wait(_PATIENCE)
    return ports


def kill_all(server: ServerProcess) -> None:
    """SIGKILL a server and its workers, if it has some, at once."""
    supervisor = psutil.Process(server.pid)
    # It starts no more of them.
    _suspend(supervisor)
    children = supervisor.children(recursive=True)
    for child in children:
        child.kill()
    server.kill()
    _, alive = psutil.wait_procs(children, _PATIENCE)
    assert not alive


def _suspend(process: psutil.Process) -> None:
    process.suspend()
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED)


def _serves(child: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(child.cmdline())
    except psutil.NoSuchProcess:
        return False
