"""Peers that are ASGI applications: one uvicorn process on uvloop and httptools, without logs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.environment import python_versions
from benchmarks.install import install_in_python, recipe_of
from benchmarks.servers import Launch, Server

FLAGS: Final = (
    *("--loop", "uvloop", "--http", "httptools"),
    *("--no-access-log", "--log-level", "error"),
)
_RUNNING_ON: Final = ("uvicorn", "uvloop", "httptools")


def on_uvicorn(
    name: str,
    packages: Sequence[str],
    *,
    durability: str,
    setting: str = "",
    holds_bodies: bool = False,
) -> Server:
    """Return the ``app`` of a recipe, which stores in the folder that ``UPLOAD_DIR`` names.

    Raises:
        UnavailableError: it could not be installed.
    """
    python = install_in_python(name)

    def launch(port: int, data: Path) -> Launch:
        serve = [python, "-m", "uvicorn", "app:app", "--app-dir", str(recipe_of(name))]
        return Launch(
            arguments=[*serve, "--host", "127.0.0.1", "--port", str(port), *FLAGS],
            environment={"UPLOAD_DIR": str(data)},
        )

    return Server(
        name=name,
        version=python_versions(python, *packages, *_RUNNING_ON),
        configuration=f"{setting}one uvicorn process, {' '.join(FLAGS)}",
        durability=durability,
        launch=launch,
        holds_bodies=holds_bodies,
    )
