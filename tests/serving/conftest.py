"""Both ways that a body can take through our own server, and what goes past its transports."""

from collections.abc import Iterator
from typing import Any

import pytest

from tusd_py.serving import handover, protocol
from tusd_py.serving.sending import Sending


@pytest.fixture(scope="module", autouse=True)
def no_body_is_too_small() -> Iterator[None]:
    """Hand over the socket for what is left of any body: those of the tests are small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handover, "SMALLEST", 1)
        yield


@pytest.fixture(params=[True, False], ids=["direct", "received"], scope="module")
def direct_body(request: pytest.FixtureRequest) -> bool:
    """The setting of that name."""
    direct: bool = request.param
    return direct


@pytest.fixture
def body_flag(direct_body: bool) -> str:
    """The same as a flag of the standalone server."""
    return "--direct-body" if direct_body else "--no-direct-body"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Sending]:
    """What went past a transport so far."""
    found: list[Sending] = []

    class Noted(Sending):
        def __init__(self, *args: Any) -> None:  # noqa: ANN401 - the parent's
            super().__init__(*args)
            found.append(self)

    monkeypatch.setattr(protocol, "Sending", Noted)
    return found
