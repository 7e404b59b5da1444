"""Servers on every kind of backend, as fixtures."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from .served import Backends, Kind, Serve, Served

LOOPS: dict[Kind, Any] = {
    "memory": ("asyncio", {"debug": True}),
    "disk": ("asyncio", {"use_uvloop": True}),
}


@pytest.fixture(params=LOOPS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """The kind of backends; each has a loop of its own, so that a test runs twice and not four
    times.
    """
    chosen: Kind = request.param
    return chosen


@pytest.fixture
def anyio_backend(kind: Kind) -> Any:  # noqa: ANN401 - as anyio's plugin has it
    """The event loop on which a test runs."""
    return LOOPS[kind]


@pytest.fixture
async def backends(kind: Kind, tmp_path: Path) -> AsyncIterator[Backends]:
    """Where the servers of a test keep things; they are stopped after it."""
    async with AsyncExitStack() as stack:
        yield Backends(kind, tmp_path / "data", stack)


@pytest.fixture
def serve(backends: Backends) -> Serve:
    """Start a server as a test wants it."""
    return backends.serve


@pytest.fixture
async def tus(serve: Serve) -> Served:
    """A server with the default settings."""
    return await serve()
