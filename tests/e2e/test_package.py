"""The wheel and the sdist that ``make build`` makes, installed where nothing else is."""

from __future__ import annotations

import email
import os
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.counting_client import CountingClient
from tests.e2e.inspection import stored_digest
from tests.e2e.samples import MIB, write_sample
from tests.support.server import HOST, REPOSITORY, ServerProcess
from tests.support.tools import require_python, require_tool, run_tool

pytestmark = pytest.mark.timeout(600)

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
VERSIONS = sorted(
    (
        classifier.rpartition(" ")[2]
        for classifier in PROJECT["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", classifier)
    ),
    key=lambda version: int(version.partition(".")[2]),
)
OLDEST_AND_NEWEST = (VERSIONS[0], VERSIONS[-1])
# Of the processor, in seconds, more than an interpreter takes that imports nothing. What it takes
# is the least of some: whatever else runs takes the caches from one or the other of them.
IMPORTED_WITHIN = 0.3
MORE_IMPORTS = 40


@dataclass(frozen=True, slots=True)
class Built:
    """What ``make build`` made."""

    wheel: Path
    sdist: Path


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment that has one of them, and its folder of programs."""

    programs: Path

    def run(self, program: str, *arguments: str, cwd: Path) -> str:
        return run_tool([str(self.programs / program), *arguments], cwd=cwd)


class InstalledServer(ServerProcess):
    """The ``tusd-py serve`` of an environment."""

    def __init__(self, installed: Installed, data_dir: Path) -> None:
        super().__init__(data_dir, cwd=data_dir.parent)
        self._program = installed.programs / "tusd-py"

    def command(self) -> list[str]:
        place = ["--host", HOST, "--port", str(self.port), "--data-dir", str(self.data_dir)]
        return [str(self._program), "serve", *place]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    make = require_tool("make")
    folder = tmp_path_factory.mktemp("dist")
    run_tool([make, "build", f"DIST={folder}", f"PYTHON={sys.executable}"], cwd=REPOSITORY)
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return Built(wheel, sdist)


def install(python: str, folder: Path, file: Path) -> Installed:
    """Install a file with the versions that are tested together, into an empty environment."""
    run_tool([python, "-m", "venv", str(folder)], cwd=folder.parent)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet"]
    # It holds for what the sdist is built with, too.
    constraints = f"PIP_CONSTRAINT={REPOSITORY / 'constraints.txt'}"
    run_tool(["env", constraints, *pip, str(file)], cwd=folder.parent)
    return Installed(folder / "bin")


@pytest.fixture(scope="module", params=OLDEST_AND_NEWEST)
def of_wheel(
    request: pytest.FixtureRequest, built: Built, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    """An environment that has nothing but the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("wheel") / "env"
    yield install(require_python(request.param), folder, built.wheel)
    shutil.rmtree(folder, ignore_errors=True)


def serves_an_upload(installed: Installed, folder: Path) -> None:
    sample = write_sample(folder / "sample.bin", 5 * MIB + 3)
    with InstalledServer(installed, folder / "data") as server:
        client = CountingClient(server.url, sample.path, most_attempts=1)
        client.upload()
        assert sample.digest == stored_digest(client.url)


def test_the_wheel_serves_an_upload(of_wheel: Installed, tmp_path: Path) -> None:
    version = of_wheel.run("tusd-py", "--version", cwd=tmp_path)

    serves_an_upload(of_wheel, tmp_path)

    assert re.fullmatch(r"tusd-py \d+\.\d+\.\d+\n", version)


@pytest.mark.parametrize("version", OLDEST_AND_NEWEST)
def test_the_sdist_serves_an_upload(version: str, built: Built, tmp_path: Path) -> None:
    installed = install(require_python(version), tmp_path / "env", built.sdist)

    serves_an_upload(installed, tmp_path)


def test_an_embedding_program_passes_mypy(of_wheel: Installed, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "examples/starlette/app", tmp_path / "app")
    wrong = "from tusd_py import TusApp\n\ntus: int = TusApp(storage=1)\n"
    (tmp_path / "wrong.py").write_text(wrong)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    command = [*mypy, "--python-executable", str(of_wheel.programs / "python")]

    run_tool([*command, "-p", "app"], cwd=tmp_path)

    found = subprocess.run(
        [*command, "wrong.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    # Its types are known: otherwise everything would pass.
    assert {"arg-type", "assignment", "call-arg"} == set(re.findall(r"\[([a-z-]+)\]", found.stdout))


@pytest.mark.parametrize(
    "statement", ["import tusd_py", "from tusd_py import TusApp", "import tusd_py.cli.main"]
)
def test_imports_are_quick(of_wheel: Installed, tmp_path: Path, statement: str) -> None:
    python = str(of_wheel.programs / "python")

    nothing = min(_processor_seconds([python, "-c", "pass"], tmp_path) for _ in range(5))
    imports = [python, "-c", statement]
    least = min(_processor_seconds(imports, tmp_path) for _ in range(5)) - nothing
    for _ in range(MORE_IMPORTS):
        if least < IMPORTED_WITHIN:
            break
        least = min(least, _processor_seconds(imports, tmp_path) - nothing)

    sys.stdout.write(f"{statement}: {least:.3f} s of the processor\n")
    assert least < IMPORTED_WITHIN


def test_extras_ask_for_what_they_say_and_nothing_else_does(built: Built) -> None:
    asked: dict[str | None, set[str]] = {}
    for line in _metadata(built.wheel).get_all("Requires-Dist", []):
        name = re.match(r"[\w.-]+(\[\w+\])?", line)
        extra = re.search(r"extra == '(\w+)'", line)
        assert name
        asked.setdefault(extra[1] if extra else None, set()).add(name[0])

    optional = {
        "client": {"h11", "rich"},
        "hooks": {"httpx"},
        "jwt": {"pyjwt[crypto]"},
        "testing": {"pytest"},
    }
    assert optional == {extra: names for extra, names in asked.items() if extra}
    assert set() == asked[None] & set().union(*optional.values())


def test_the_wheel_has_the_package_alone(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = wheel.namelist()
    tracked = {name for name in _tracked() if name.startswith("tusd_py/")}
    assert tracked == {name for name in names if ".dist-info/" not in name}
    assert "tusd_py/py.typed" in names


def test_the_sdist_has_what_is_tracked_and_nothing_else(built: Built) -> None:
    of_a_checkout = {name for name in _tracked() if re.search(r"^\.ci/|\.gitignore$", name)}
    assert _tracked() - of_a_checkout | {"PKG-INFO"} == _files_of(built.sdist) - {".gitignore"}


def test_the_sdist_leaves_out_what_lies_about(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for name in _tracked():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, checkout / name)
    lies_about = {"keys.toml", "secret", "holiday.mp4", "data/tus.db", "notes/plan.txt"}
    lies_about |= {"examples/fastapi/data/app.db", "examples/django/data/files/1"}
    for name in lies_about:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("not for others")

    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(tmp_path / "dist")]
    run_tool(build, cwd=checkout)

    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    assert set() == lies_about & _files_of(sdist)
    assert "pyproject.toml" in _files_of(sdist)


def test_the_sdist_can_be_tested(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as sdist:
        sdist.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    pytest_of = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]

    # One that looks at every file, and one of each kind of test.
    run_tool([*pytest_of, "tests/docs/test_docs.py", "tests/unit/protocol"], cwd=folder)


def _metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as files:
        (name,) = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(files.read(name))


def _files_of(sdist: Path) -> set[str]:
    with tarfile.open(sdist) as files:
        return {name.partition("/")[2] for name in files.getnames()}


def _tracked() -> set[str]:
    """The files of the checkout that are not ignored."""
    git = require_tool("git")
    listed = run_tool(
        [git, "ls-files", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY
    )
    return {name for name in listed.splitlines() if (REPOSITORY / name).exists()}


def _processor_seconds(command: list[str], cwd: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=cwd, env={**os.environ, "PYTHONPATH": ""}, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
