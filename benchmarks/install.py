"""Installing peers and clients, once, into a folder that git ignores."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.errors import UnavailableError
from benchmarks.processes import output_of
from benchmarks.progress import say

_HERE: Final = Path(__file__).resolve().parent
CACHE: Final = _HERE / ".cache"
_TIMEOUT: Final = 300.0


def recipe_of(name: str) -> Path:
    """Return the folder of pinned versions and start scripts of a peer or client."""
    return _HERE / "recipes" / name


def install_in_python(name: str) -> str:
    """Return the interpreter of an environment with a recipe's ``requirements.txt``.

    Raises:
        UnavailableError: it could not be installed.
    """

    def install(home: Path) -> None:
        install_step([sys.executable, "-m", "venv", str(home / "venv")])
        requirements = str(recipe_of(name) / "requirements.txt")
        pip = [_python(home), "-m", "pip", "install", "--quiet", "--requirement", requirements]
        install_step(pip)

    return _python(install_once(name, install))


def install_in_node(name: str) -> Path:
    """Return a folder with a recipe's scripts and the packages of its lock file.

    Raises:
        UnavailableError: there is no npm, or it failed.
    """

    def install(home: Path) -> None:
        npm = program("npm")
        for file in recipe_of(name).iterdir():
            shutil.copy(file, home)
        quiet = ("--omit=dev", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund")
        install_step([npm, "ci", *quiet], cwd=home)

    return install_once(name, install)


def install_once(name: str, install: Callable[[Path], None]) -> Path:
    """Return the folder where a recipe is installed, after installing it where need be.

    It is installed anew when its recipe or the interpreter has changed.

    Raises:
        UnavailableError: it could not be installed.
    """
    home = CACHE / name
    marker = home / "installed"
    recipe = _fingerprint(recipe_of(name))
    if marker.is_file() and marker.read_text(encoding="ascii") == recipe:
        return home
    say(f"installing {name} (first use)")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    install(home)
    marker.write_text(recipe, encoding="ascii")
    return home


def install_step(command: Sequence[str], *, cwd: Path | None = None) -> None:
    """Run one command of an installation.

    Raises:
        UnavailableError: it failed.
    """
    output_of(command, timeout=_TIMEOUT, cwd=cwd)


def program(name: str) -> str:
    """Return the path of an installed program.

    Raises:
        UnavailableError: there is none.
    """
    path = shutil.which(name)
    if path is None:
        raise UnavailableError(f"{name} is not installed")
    return path


def _python(home: Path) -> str:
    return str(home / "venv" / "bin" / "python")


def _fingerprint(recipe: Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted(path for path in recipe.iterdir() if path.is_file()):
        digest.update(file.read_bytes())
    return digest.hexdigest()
