"""Tools outside Python that tests need, and what they build once for all test runs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

CACHE = Path(__file__).parents[1] / "e2e" / ".cache"
BUILD_TIMEOUT = 600.0
READY = ".ready"
# What a developer's own builds leave beside the sources.
BUILT = ("node_modules", "dist")
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def require_tool(name: str) -> str:
    """The path of a tool; without it the test is skipped, and on CI (CI=true) it fails."""
    path = shutil.which(name)
    if path is None:
        leave_out(f"needs `{name}`, which is not on PATH")
    return path


def require_python(version: str) -> str:
    """An interpreter of this version, such as ``3.13``: on PATH, or one that pyenv or uv has.

    Without one the test is skipped, and on CI (CI=true) it fails.
    """
    name = f"python{version}"
    places = [*Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}"), shutil.which(name)]
    if uv := shutil.which("uv"):
        found = _output([uv, "python", "find", "--no-python-downloads", version])
        places.append(found.strip() or None)
    # A shim of pyenv may be for a version that is not installed.
    fitting = (str(place) for place in places if place and _version_of(str(place)) == version)
    if (python := next(fitting, None)) is None:
        leave_out(f"needs Python {version}")
    return python


def leave_out(reason: str) -> NoReturn:
    """Skip the test; on CI (CI=true) it fails, for there it has to run."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def built_once(name: str, sources: Path, build: Callable[[Path], None]) -> Path:
    """A folder with a copy of `sources` that `build` has been run in.

    It is kept for later runs, one for each state of the sources; test runs that start at the
    same time wait for the one that builds.
    """
    folder = CACHE / f"{name}-{_digest(sources)}"
    with _locked(CACHE / f"{name}.lock"):
        if not (folder / READY).exists():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(sources, folder, ignore=shutil.ignore_patterns(*BUILT))
            build(folder)
            (folder / READY).touch()
    return folder


def run_tool(command: Sequence[str], *, cwd: Path, timeout: float = BUILD_TIMEOUT) -> str:
    """Run a tool to its end and return its stdout; a failure shows all that it wrote."""
    done = subprocess.run(
        command,
        cwd=cwd,
        timeout=timeout,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        told = f"{done.stdout}\n{done.stderr}"
        pytest.fail(f"{command[0]} ended with exit code {done.returncode}\n{told}")
    return done.stdout


def files_of(sources: Path) -> list[Path]:
    """The files of a folder and its subfolders, without what was built there."""
    found = (path for path in sources.rglob("*") if path.is_file())
    return sorted(path for path in found if not {*BUILT} & {*path.relative_to(sources).parts})


def _version_of(python: str) -> str:
    return _output([python, "-c", _VERSION]).strip()


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _digest(sources: Path) -> str:
    digest = hashlib.sha256()
    for file in files_of(sources):
        digest.update(f"{file.relative_to(sources)}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # A kernel lock, for it goes away with a test run that is killed.
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
