"""tuspyserver on uvicorn, the server in Python that is used most."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.environment import python_versions
from benchmarks.install import install_in_python, recipe_of
from benchmarks.servers import UVICORN_FLAGS, Launch, Server

_NAME: Final = "tuspyserver"


def tuspyserver() -> Server:
    """Return tuspyserver in one uvicorn process on uvloop and httptools, without logs."""
    python = install_in_python(_NAME)

    def launch(port: int, data: Path) -> Launch:
        serve = [python, "-m", "uvicorn", "app:app", "--app-dir", str(recipe_of(_NAME))]
        return Launch(
            arguments=[*serve, "--host", "127.0.0.1", "--port", str(port), *UVICORN_FLAGS],
            environment={"UPLOAD_DIR": str(data)},
        )

    return Server(
        name=_NAME,
        version=python_versions(
            python, "tuspyserver", "uvicorn", "uvloop", "httptools", "starlette", "fastapi"
        ),
        configuration=f"one uvicorn process, {' '.join(UVICORN_FLAGS)}",
        durability="fsync of the info file, not of the bytes",
        launch=launch,
    )
