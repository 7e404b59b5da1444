"""The processes of a server with several workers, from outside."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import ExitStack

import psutil

from tests.support.live import Wire
from tests.support.server import ServerProcess

_PATIENCE = 30.0


def wait_until(done: Callable[[], object], otherwise: str = "it takes too long") -> None:
    """Wait until something is so, or say what is wrong."""
    deadline = time.monotonic() + _PATIENCE
    while not done():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)


def workers(server: ServerProcess) -> list[psutil.Process]:
    """The processes that serve or begin to, without those that Python's multiprocessing needs."""
    return [child for child in psutil.Process(server.pid).children() if _is_worker(child)]


def accepting(server: ServerProcess, wire: Wire) -> int:
    """Wait until a worker has accepted a connection; returns its process id."""
    mine = wire.socket.getsockname()[1]
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        for worker in workers(server):
            # A socket that listens has no other side.
            if (mine,) in [found.raddr[1:] for found in worker.net_connections()]:
                return worker.pid
    raise AssertionError("No worker accepts the connection.")


def connected(server: ServerProcess, stack: ExitStack, *, elsewhere: int = 0) -> tuple[Wire, int]:
    """Connect to any worker, or to another one than that; returns its process id too."""
    for _ in range(200):
        wire = stack.enter_context(Wire(server.port))
        worker = accepting(server, wire)
        if worker != elsewhere:
            return wire, worker
    raise AssertionError("One worker takes all connections.")


def wait_for_workers(server: ServerProcess, count: int, *, starting: bool = False) -> None:
    """Wait until so many processes serve, or are starting too."""

    def ready() -> list[psutil.Process]:
        return [each for each in workers(server) if starting or _serves(server, each)]

    wait_until(lambda: len(ready()) == count, f"there are no {count} workers")


def kill_worker(server: ServerProcess, chance: random.Random, spared: int = 0) -> set[int]:
    """SIGKILL any worker but the oldest; returns the clients' ports of the connections it had."""
    victim = chance.choice(sorted(workers(server), key=psutil.Process.create_time)[spared:])
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


def _serves(server: ServerProcess, worker: psutil.Process) -> bool:
    # It has its mailbox then.
    return any((server.data_dir / "locks").glob(f"{worker.pid}-*.fifo"))


def _is_worker(child: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(child.cmdline())
    except psutil.NoSuchProcess:
        return False
