"""Which servers there are: ours in several configurations, its peers, and the limit of all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Final

from benchmarks.environment import python_versions
from benchmarks.errors import UnavailableError
from benchmarks.peers import PEERS
from benchmarks.processes import output_of
from benchmarks.servers import UVICORN_FLAGS, Launch, Missing, Role, Server

LIMIT: Final = "bare-loop"
EMBEDDED: Final = "tusd_py-uvicorn"
GUARDED: Final = "tusd_py-grants"
_KEYS: Final = "keys.toml"
_PACKAGES: Final = ("tusd-py", "uvicorn", "uvloop", "httptools", "starlette", "aiosqlite")
_PROMISES: Final = {
    "process": "no fsync; survives the process",
    "disk": "fsync of bytes and metadata; survives the machine",
}


def _largest(size: str) -> tuple[str, ...]:
    return ("--streaming-max-buffer-size", size)


_OURS: Final = {
    "tusd_py-process": ("process", ()),
    "tusd_py-disk": ("disk", ()),
    "tusd_py-affinity": ("process", ("--cpu-affinity",)),
    "tusd_py-process-2": ("process", ("--workers", "2")),
}
_WAYS: Final[Mapping[str, tuple[str, ...]]] = {"direct": (), "received": ("--no-direct-body",)}
_SIZES: Final = ("64KiB", "256KiB", "1MiB", "4MiB")
_FIXED: Final = {
    f"tusd_py-{way}-{size}": (*flags, "--no-streaming-adaptive-buffers", *_largest(size))
    for way, flags in _WAYS.items()
    for size in _SIZES
}
_SIZED: Final = {**{f"tusd_py-{way}-any": flags for way, flags in _WAYS.items()}, **_FIXED}


def names() -> list[str]:
    """Return the names of all servers, ours first."""
    return [*_OURS, *_SIZED, GUARDED, EMBEDDED, *PEERS, LIMIT]


def find(wanted: Iterable[str], python: str) -> tuple[list[Server], list[Missing]]:
    """Return the servers that can be had, installing peers on first use, and those that can't.

    Ours is run by the interpreter `python`.
    """
    finders = _finders(python)
    found: list[Server] = []
    missing: list[Missing] = []
    for name in wanted:
        try:
            found.append(finders[name]())
        except UnavailableError as error:
            missing.append(Missing(name=name, reason=str(error), role=_role(name)))
    return found, missing


def _finders(python: str) -> Mapping[str, Callable[[], Server]]:
    ours = {name: partial(_standalone, name, python) for name in [*_OURS, *_SIZED]}
    special: Mapping[str, Callable[[], Server]] = {
        GUARDED: partial(_guarded, python),
        EMBEDDED: partial(_embedded, python),
        LIMIT: _bare_loop,
    }
    return {**ours, **special, **PEERS}


def _role(name: str) -> Role:
    special = {GUARDED: Role.GUARDED, EMBEDDED: Role.EMBEDDED, LIMIT: Role.LIMIT}
    special |= dict.fromkeys(_OURS, Role.OURS) | dict.fromkeys(_SIZED, Role.SIZED)
    return special.get(name, Role.PEER)


def _standalone(name: str, python: str) -> Server:
    durability, more = _OURS[name] if name in _OURS else ("process", _SIZED[name])
    flags = ["--durability", durability, *more, "--log-format", "none"]
    _check_it_serves(python)

    def launch(port: int, data: Path) -> Launch:
        serve = [python, "-m", "tusd_py", "serve", "--host", "127.0.0.1", "--port", str(port)]
        return Launch(arguments=[*serve, "--data-dir", str(data), *flags])

    return Server(
        name=name,
        version=python_versions(python, *_PACKAGES),
        configuration=" ".join(flags),
        durability=_PROMISES[durability],
        launch=launch,
        role=_role(name),
        durable=durability == "disk",
    )


def _guarded(python: str) -> Server:
    plain = _standalone("tusd_py-process", python)

    def launch(port: int, data: Path) -> Launch:
        keys = data.parent / _KEYS
        if not keys.exists():
            output_of([python, "-m", "tusd_py", "keys", "new", "--file", str(keys)])
        arguments = plain.launch(port, data).arguments
        return Launch(arguments=[*arguments, "--auth-keys", str(keys)])

    return replace(
        plain,
        name=GUARDED,
        configuration=f"{plain.configuration} --auth-keys {_KEYS}",
        launch=launch,
        role=Role.GUARDED,
        keys=_KEYS,
    )


def _embedded(python: str) -> Server:
    _check_it_serves(python)

    def launch(port: int, data: Path) -> Launch:
        serve = [python, "-m", "uvicorn", "benchmarks.embedded_app:app"]
        return Launch(
            arguments=[*serve, "--host", "127.0.0.1", "--port", str(port), *UVICORN_FLAGS],
            environment={"UPLOAD_DIR": str(data)},
        )

    return Server(
        name=EMBEDDED,
        version=python_versions(python, *_PACKAGES),
        configuration=f"in a Starlette application, plain uvicorn, {' '.join(UVICORN_FLAGS)}",
        durability=_PROMISES["process"],
        launch=launch,
        role=Role.EMBEDDED,
    )


def _bare_loop() -> Server:
    def launch(port: int, data: Path) -> Launch:
        program = [sys.executable, "-m", "benchmarks.bare_server"]
        return Launch(arguments=[*program, str(port), str(data)])

    return Server(
        name=LIMIT,
        version=python_versions(sys.executable),
        configuration="recv_into of 1 MiB and write, a thread for each connection",
        durability="no fsync, no records: the limit of Python",
        launch=launch,
        role=Role.LIMIT,
    )


@cache
def _check_it_serves(python: str) -> None:
    try:
        output_of([python, "-m", "tusd_py", "serve", "--help"])
    except UnavailableError as error:
        raise UnavailableError("this interpreter cannot run `python -m tusd_py serve`") from error
