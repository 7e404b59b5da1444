"""tuspyserver on uvicorn, the server in Python that is used most."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from benchmarks.environment import python_versions
from benchmarks.peers.install import install_once, install_step, recipe_of
from benchmarks.servers import Launch, Server

_NAME: Final = "tuspyserver"
_FLAGS: Final = (
    *("--loop", "uvloop", "--http", "httptools"),
    *("--no-access-log", "--log-level", "error"),
)


def tuspyserver() -> Server:
    """Return tuspyserver in one uvicorn process on uvloop and httptools, without logs."""
    python = _python(install_once(_NAME, _install))

    def launch(port: int, data: Path) -> Launch:
        serve = [python, "-m", "uvicorn", "app:app", "--app-dir", str(recipe_of(_NAME))]
        return Launch(
            arguments=[*serve, "--host", "127.0.0.1", "--port", str(port), *_FLAGS],
            environment={"UPLOAD_DIR": str(data)},
        )

    return Server(
        name=_NAME,
        version=python_versions(
            python, "tuspyserver", "uvicorn", "uvloop", "httptools", "starlette", "fastapi"
        ),
        configuration=f"one uvicorn process, {' '.join(_FLAGS)}",
        durability="fsync of the info file, not of the bytes",
        launch=launch,
    )


def _install(home: Path) -> None:
    install_step([sys.executable, "-m", "venv", str(home / "venv")])
    pip = [_python(home), "-m", "pip", "install", "--quiet", "--requirement"]
    install_step([*pip, str(recipe_of(_NAME) / "requirements.txt")])


def _python(home: Path) -> str:
    return str(home / "venv" / "bin" / "python")
