"""Every test runs with an event loop that must not be blocked, on asyncio and on uvloop."""

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import HealthCheck, settings

import tusd_py

BACKENDS = [
    pytest.param(("asyncio", {"debug": True}), id="asyncio"),
    pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
]

if threading.current_thread() is threading.main_thread():
    # A shell that starts the tests in the background has them ignore it, and what they start too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The fixtures that Hypothesis's health check warns of hold no state of an example.
_HARMLESS = [HealthCheck.function_scoped_fixture]
settings.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=_HARMLESS)
settings.register_profile(
    "ci", max_examples=200, deadline=None, derandomize=True, suppress_health_check=_HARMLESS
)
settings.register_profile(
    "thorough",
    parent=settings.get_profile("ci"),
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "5000")),
    derandomize=False,
    print_blob=True,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))


@pytest.fixture(params=BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401 - as anyio's plugin has it
    """The event loops on which every asynchronous test runs."""
    return request.param


@pytest.fixture(scope="session", autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Let any blocking call on the event loop that tusd_py makes raise ``BlockingError``."""
    with blockbuster_ctx(tusd_py) as detector:
        yield detector
