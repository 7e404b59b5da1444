"""Installing a peer, once, into a folder that git ignores."""

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
CACHE: Final = _HERE.parent / ".cache"
_TIMEOUT: Final = 300.0


def recipe_of(peer: str) -> Path:
    """Return the folder of pinned versions and start scripts of a peer."""
    return _HERE / "recipes" / peer


def install_once(peer: str, install: Callable[[Path], None]) -> Path:
    """Return the folder where `peer` is installed, after installing it where need be.

    It is installed anew when its recipe or the interpreter has changed.

    Raises:
        UnavailableError: it could not be installed.
    """
    home = CACHE / peer
    marker = home / "installed"
    recipe = _fingerprint(recipe_of(peer))
    if marker.is_file() and marker.read_text(encoding="ascii") == recipe:
        return home
    say(f"installing {peer} (first use)")
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


def _fingerprint(recipe: Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted(path for path in recipe.iterdir() if path.is_file()):
        digest.update(file.read_bytes())
    return digest.hexdigest()
