"""A server under test: what it is called, how it is started, and how it is stopped."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from benchmarks import processes
from benchmarks.drivers.wire import discover
from benchmarks.errors import DriverFailedError, TrialFailedError

# How an ASGI application is run for production, ours and others'.
UVICORN_FLAGS: Final = (
    *("--loop", "uvloop", "--http", "httptools"),
    *("--no-access-log", "--log-level", "error"),
)
_START_DEADLINE: Final = 30.0


class Role(StrEnum):
    """What a server is in a comparison."""

    OURS = "ours"
    EMBEDDED = "ours behind plain uvicorn"
    PEER = "peer"
    GUARDED = "ours, wants grants"
    SIZED = "ours, with buffers of one size or of any"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A command line, and what its environment has beside the usual.

    Where `logs_to_stdout`, nothing switches them off, and they are thrown away.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    logs_to_stdout: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server in one configuration: a row of the tables.

    `launch` gets the port to listen on and an empty folder for the data; the server must then
    answer under ``/files/`` on the loopback address. One that is `durable` has synced what it
    acknowledged. One that `holds_bodies` keeps each whole body in memory. One that wants grants
    has its keys in the file that `keys` names, inside the folder of its trial.
    """

    name: str
    version: str
    configuration: str
    durability: str
    launch: Callable[[int, Path], Launch]
    role: Role = Role.PEER
    durable: bool = False
    holds_bodies: bool = False
    keys: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A server that cannot be had on this machine, and why."""

    name: str
    reason: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server that is running, and answered for the first time after `start_seconds`."""

    server: Server
    pid: int
    port: int
    data: Path
    start_seconds: float


@contextmanager
def running(server: Server, folder: Path) -> Iterator[Target]:
    """Run `server` with its data in a folder inside `folder`, which it may have used before.

    Raises:
        TrialFailedError: it did not start, or it died while it was in use.
    """
    data = folder / "data"
    data.mkdir(exist_ok=True)
    port, began = _free_port(), time.perf_counter()
    log = folder / "server.log"
    launch = server.launch(port, data)
    with log.open("wb") as output:
        process = processes.start(
            launch.arguments,
            stdout=subprocess.DEVNULL if launch.logs_to_stdout else output,
            stderr=output,
            environment=launch.environment,
        )
    greeting = 0
    try:
        _wait_until_it_answers(process, port)
        took = time.perf_counter() - began
        greeting = log.stat().st_size
        yield Target(server=server, pid=process.pid, port=port, data=data, start_seconds=took)
        _check_it_lives(process)
    except TrialFailedError as error:
        said = log.read_bytes()[greeting:].replace(bytes(folder), b"")
        raise TrialFailedError(f"{error}{_last_words(process, said)}") from error
    finally:
        processes.stop_tree(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_DEADLINE
    while time.monotonic() < deadline:
        _check_it_lives(process)
        try:
            discover(port)
        except (OSError, DriverFailedError):
            time.sleep(0.01)
        else:
            return
    raise TrialFailedError(f"the server did not answer within {_START_DEADLINE:.0f} s")


def _check_it_lives(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        raise TrialFailedError("the server is gone")


def _last_words(process: subprocess.Popen[bytes], said: bytes) -> str:
    ended = process.poll()
    status = f"; the server ended with status {ended}" if ended is not None else ""
    return f"{status}; it said: {processes.last_line(said)}" if said.strip() else status
