"""The example applications as their READMEs run them, and how one signs in to each."""

from __future__ import annotations

import re
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.server import HOST, REPOSITORY, ServerProcess
from tests.support.tools import run_tool

EXAMPLES = REPOSITORY / "examples"
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody

Headers = dict[str, str]


class ExampleApp(ServerProcess):
    """An example in a copy of its folder, started by the last command of its README.

    Args:
        name: Of the example's folder.
        folder: Where the copy goes.
        bin_dir: Where the programs are that its requirements brought.
        more: A module that imports `app` and adds to it, served in its place.
    """

    def __init__(self, name: str, folder: Path, bin_dir: Path, *, more: str = "") -> None:
        shutil.copytree(EXAMPLES / name, folder)
        super().__init__(folder / "data", cwd=folder)
        self._bin_dir = bin_dir
        *self._before, self._serve = commands(name)[1:]
        if more:
            (folder / "more.py").write_text(more)
            self._serve = self._serve.replace("app.main:app", "more:app")

    @property
    def site(self) -> str:
        """Where the application's own pages are."""
        return f"http://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.site}/uploads"

    def prepare(self) -> None:
        """Do what the README does between the installation and the start."""
        for command in self._before:
            run_tool(self._with_path(command), cwd=self._cwd)

    def command(self) -> list[str]:
        return self._with_path(self._serve, f"UVICORN_PORT={self.port}")

    def _with_path(self, command: str, *more: str) -> list[str]:
        words = shlex.split(command)
        return ["env", f"PATH={self._bin_dir}:/usr/bin:/bin", *more, *words]


def commands(name: str) -> list[str]:
    """The commands of a README's first block."""
    readme = (EXAMPLES / name / "README.md").read_text()
    block = re.search(r"```console\n(.*?)```", readme, flags=re.DOTALL)
    assert block, f"{name} does not say how it is run"
    return re.findall(r"^\$ (.*)$", block[1], flags=re.MULTILINE)


def install(name: str, folder: Path) -> Path:
    """Do what the README begins with, in an environment of its own; returns its programs."""
    run_tool([sys.executable, "-m", "venv", str(folder)], cwd=REPOSITORY)
    program, *arguments = shlex.split(commands(name)[0])
    constraints = f"PIP_CONSTRAINT={REPOSITORY / 'constraints.txt'}"
    command = ["env", constraints, str(folder / "bin" / program), *arguments, "--quiet"]
    run_tool(command, cwd=EXAMPLES / name)
    return folder / "bin"


@dataclass(frozen=True, slots=True)
class Ways:
    """How one deals with an application.

    Attributes:
        sign_up: Makes a user.
        sign_in: Gives the headers by which the application knows them.
        files_of: The names of the files that somebody with such headers has; None if nobody.
        table: Where the application has its rows.
    """

    sign_up: Callable[[httpx.Client, str], httpx.Response]
    sign_in: Callable[[httpx.Client, str], Headers]
    files_of: Callable[[httpx.Client, Headers], list[str] | None]
    table: str = "files"


def _form(name: str) -> dict[str, str]:
    return {"username": name, "password": PASSWORD}


def _cookies(client: httpx.Client) -> Headers:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}


def _form_sign_up(client: httpx.Client, name: str) -> httpx.Response:
    return client.post("/users", data=_form(name))


def _json_sign_up(client: httpx.Client, name: str) -> httpx.Response:
    return client.post("/users", json=_form(name))


def _fastapi_sign_in(client: httpx.Client, name: str) -> Headers:
    answer = client.post("/token", data=_form(name)).raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def _litestar_sign_in(client: httpx.Client, name: str) -> Headers:
    answer = client.post("/token", json=_form(name)).raise_for_status()
    return {"Authorization": answer.headers["Authorization"]}


def _starlette_sign_in(client: httpx.Client, name: str) -> Headers:
    client.post("/session", data=_form(name)).raise_for_status()
    return _cookies(client)


def _listed(client: httpx.Client, headers: Headers) -> list[str] | None:
    answer = client.get("/files", headers=headers)
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return None
    return [file["name"] for file in answer.raise_for_status().json()]


def _django_post(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    client.get(path).raise_for_status()
    secret = {"csrfmiddlewaretoken": client.cookies["csrftoken"]}
    return client.post(path, data={**fields, **secret})


def _django_sign_up(client: httpx.Client, name: str) -> httpx.Response:
    return _django_post(client, "/sign-up/", username=name, password1=PASSWORD, password2=PASSWORD)


def _django_sign_in(client: httpx.Client, name: str) -> Headers:
    _django_post(client, "/login/", **_form(name))
    return _cookies(client)


def _django_listed(client: httpx.Client, headers: Headers) -> list[str] | None:
    answer = client.get("/", headers=headers)
    if answer.headers.get("Location", "").startswith("/login/"):
        return None
    return re.findall(r'<li id="[^"]+">(.*?) \(', answer.raise_for_status().text)


WAYS = {
    "fastapi": Ways(_form_sign_up, _fastapi_sign_in, _listed),
    "starlette": Ways(_form_sign_up, _starlette_sign_in, _listed),
    "litestar": Ways(_json_sign_up, _litestar_sign_in, _listed),
    "django": Ways(_django_sign_up, _django_sign_in, _django_listed, table="files_file"),
}


@contextmanager
def writing(database: Path) -> Iterator[None]:
    """Have the only place of those who write to a SQLite database; others can read."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def count(database: Path, table: str) -> int:
    """How many rows a table has."""
    with closing(sqlite3.connect(database)) as connection:
        (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    return int(rows)
