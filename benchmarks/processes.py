"""Starting and ending the processes that the benchmarks need."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

import psutil

from benchmarks.errors import UnavailableError

REPOSITORY: Final = Path(__file__).resolve().parent.parent

_LONGEST_LINE: Final = 165

# A developer's shell or a Makefile may switch these on; each slows a Python server down.
_DEBUG_SWITCHES: Final = (
    "PYTHONASYNCIODEBUG",
    "PYTHONDEVMODE",
    "PYTHONFAULTHANDLER",
    "PYTHONMALLOC",
    "PYTHONTRACEMALLOC",
    "PYTHONWARNINGS",
    "NODE_DEBUG",
    "DEBUG",
    "GODEBUG",
)


def production_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without debug switches, plus `extra`."""
    kept = {name: value for name, value in os.environ.items() if name not in _DEBUG_SWITCHES}
    return kept | dict(extra or {})


def start(
    command: Sequence[str],
    *,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, so that Ctrl-C reaches only the harness."""
    return subprocess.Popen(
        list(command),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=REPOSITORY,
        env=production_environment(environment),
        bufsize=0,
        start_new_session=True,
    )


def output_of(command: Sequence[str], *, timeout: float = 30.0, cwd: Path | None = None) -> str:
    """Run `command` to its end and return what it printed.

    Raises:
        UnavailableError: it is not installed, took too long, or failed.
    """
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
            cwd=cwd or REPOSITORY,
            env=production_environment(),
        )
    except FileNotFoundError as error:
        raise UnavailableError(f"{name} is not installed") from error
    except OSError as error:
        raise UnavailableError(f"{name} cannot be run") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{name} took longer than {timeout:.0f} s") from error
    if done.returncode != 0:
        raise UnavailableError(f"{name} failed: {last_line(done.stderr)}")
    return done.stdout.decode(errors="replace")


def last_line(output: bytes) -> str:
    """Return the last line of `output` that says something, shortened to fit a table."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
    line = next((line for line in reversed(lines) if line), "it printed nothing")
    # The head of a structured log line names the event, its tail the end of the trace.
    return line if len(line) <= _LONGEST_LINE else f"{line[:60]} ... {line[-100:]}"


def stop_tree(process: subprocess.Popen[bytes], *, grace: float = 10.0) -> None:
    """End `process` and its children: asked first, killed after `grace` seconds."""
    tree = process_tree(process.pid)
    if process.poll() is None:
        process.terminate()
    psutil.wait_procs(tree, timeout=grace)
    for member in tree:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait(timeout=grace)


def process_tree(pid: int) -> list[psutil.Process]:
    """Return the process `pid` and all its descendants; empty once it is gone."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
