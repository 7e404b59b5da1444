"""Round trips that are measured by connecting."""

from __future__ import annotations

import pytest

from tusd_py.network import Interface
from tusd_py.network.interfaces import InterfaceReader, carrier
from tusd_py.network.probe import Target


@pytest.fixture(scope="module")
def loopback() -> Interface:
    found = carrier(InterfaceReader()(), "127.0.0.1")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("example.net:443", Target("example.net", 443)),
        ("192.0.2.1:80", Target("192.0.2.1", 80)),
        ("[2001:db8::1]:443", Target("2001:db8::1", 443)),
    ],
)
def test_a_target_is_read(text: str, target: Target) -> None:
    assert target == Target.parse(text)


@pytest.mark.parametrize(
    "text", ["example.net", "example.net:", ":80", "a:0", "a:65536", "2001:db8::1:443", "a b:80"]
)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        Target.parse(text)
