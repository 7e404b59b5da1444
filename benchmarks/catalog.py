"""Which servers there are: ours in two durabilities and with two workers, and its peers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.environment import python_versions
from benchmarks.errors import UnavailableError
from benchmarks.peers import PEERS
from benchmarks.processes import output_of
from benchmarks.servers import Launch, Missing, Server

_PROMISES: Final = {
    "process": "no fsync; survives the process",
    "disk": "fsync of bytes and metadata; survives the machine",
}
_OURS: Final = {
    "tusd_py-process": ("process", 1),
    "tusd_py-disk": ("disk", 1),
    "tusd_py-process-2": ("process", 2),
}


def names() -> list[str]:
    """Return the names of all servers, ours first."""
    return [*_OURS, *PEERS]


def find(wanted: Iterable[str], python: str) -> tuple[list[Server], list[Missing]]:
    """Return the servers that can be had, installing peers on first use, and those that can't.

    Ours is run by the interpreter `python`.
    """
    found: list[Server] = []
    missing: list[Missing] = []
    for name in wanted:
        finder = PEERS.get(name) or partial(_tusd_py, name, python)
        try:
            found.append(finder())
        except UnavailableError as error:
            missing.append(Missing(name=name, reason=str(error), ours=name in _OURS))
    return found, missing


def _tusd_py(name: str, python: str) -> Server:
    durability, workers = _OURS[name]
    flags = ["--durability", durability, "--workers", str(workers), "--log-format", "none"]
    try:
        output_of([python, "-m", "tusd_py", "serve", "--help"])
    except UnavailableError as error:
        raise UnavailableError("this interpreter cannot run `python -m tusd_py serve`") from error

    def launch(port: int, data: Path) -> Launch:
        serve = [python, "-m", "tusd_py", "serve", "--host", "127.0.0.1", "--port", str(port)]
        return Launch(arguments=[*serve, "--data-dir", str(data), *flags])

    return Server(
        name=name,
        version=python_versions(
            python, "tusd-py", "uvicorn", "uvloop", "httptools", "starlette", "aiosqlite"
        ),
        configuration=" ".join(flags),
        durability=_PROMISES[durability],
        launch=launch,
        ours=True,
    )
