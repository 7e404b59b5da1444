"""Both ways that a body can take through our own server."""

from collections.abc import Iterator

import pytest

from tusd_py.serving import handover


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
