"""One part does not pay for the others: what an import brings along."""

import json
import subprocess
import sys

import pytest

from tests.support.server import REPOSITORY

# By how long they take, or because the extra that has them may not be installed.
HEAVY = {
    *("aiosqlite", "anyio", "asyncio", "psutil", "sqlite3", "ssl", "starlette", "structlog"),
    *("click", "cryptography", "h11", "httptools", "httpx", "jwt", "multiprocessing"),
    *("prometheus_client", "pytest", "uvicorn", "uvloop"),
}
# Which of them the parts that people import are made of.
OF_AN_APP = {"aiosqlite", "anyio", "asyncio", "psutil", "sqlite3", "ssl", "starlette", "structlog"}


@pytest.mark.parametrize(
    ("statement", "needed"),
    [
        ("import tusd_py", set()),
        ("from tusd_py import Config, Reject, parse_metadata", set()),
        ("from tusd_py.auth import KeyFile, Signer", {"asyncio", "ssl", "structlog"}),
        ("from tusd_py import TusApp", OF_AN_APP),
        ("from tusd_py import *", OF_AN_APP),
        ("from tusd_py.client import Uploader", {"asyncio", "h11", "ssl", "structlog"}),
        ("import tusd_py.cli.main", {"asyncio", "click", "ssl"}),
    ],
)
def test_an_import_brings_no_more_than_it_needs(statement: str, needed: set[str]) -> None:
    assert set() == HEAVY & brought_by(statement) - needed


def brought_by(statement: str) -> set[str]:
    """The modules, without their submodules, that a new interpreter has after a statement."""
    code = f"import json, sys; before = set(sys.modules); {statement}; "
    code += "print(json.dumps([name for name in {*sys.modules} - before if '.' not in name]))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_who_has_no_pytest_is_told_the_extra_that_has_it() -> None:
    without = "import sys; sys.modules['pytest'] = None; import tusd_py.testing"
    done = subprocess.run(
        [sys.executable, "-c", without], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert "pip install 'tusd-py[testing]'" in done.stderr.splitlines()[-1]
