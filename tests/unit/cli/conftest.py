"""Runs the command line in this process, and leaves the process's logging as it was."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from types import SimpleNamespace

import pytest
import structlog
from click.testing import CliRunner, Result

from tests.unit.cli.fakes import FakeServer, Run
from tusd_py.cli.main import cli
from tusd_py.serving import descriptors


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    for name in os.environ:
        if name.startswith("TUSD_PY_"):
            monkeypatch.delenv(name)

    def invoke(*args: str, env: Mapping[str, str] | None = None) -> Result:
        return CliRunner().invoke(cli, args, env=dict(env or {}), catch_exceptions=False)

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield invoke
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("uvicorn", "aiosqlite", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    access = logging.getLogger("uvicorn.access")
    access.propagate, access.disabled = True, False


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    fake = FakeServer()
    module = SimpleNamespace(serve=fake.serve)
    monkeypatch.setitem(sys.modules, "tusd_py.serving.server", module)
    # The limits of the tests' own process stay as they are.
    monkeypatch.setattr(descriptors, "raise_descriptors", fake.raise_descriptors)
    return fake
