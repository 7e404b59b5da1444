"""What connections' buffers start with, and what is kept of them."""

from __future__ import annotations

import pytest

from tests.support.asgi import ScriptedConnection
from tests.unit.network.samples import interface, snapshot
from tusd_py.asgi.buffers import Buffers, start_size
from tusd_py.config import Config
from tusd_py.metrics import Meters
from tusd_py.network import InterfaceKind, Monitor
from tusd_py.network.profiles import PROFILES
from tusd_py.quantities import MiB
from tusd_py.streaming.buffers import UNKNOWN


@pytest.fixture
def monitor() -> Monitor:
    """A machine with a cable and a modem."""
    found = Monitor()
    found.interfaces = snapshot(
        interface("eth0", "192.0.2.1/24"),
        interface("wwan0", "198.51.100.1/24", kind=InterfaceKind.CELLULAR),
    )
    return found


@pytest.fixture
def buffers() -> Buffers:
    return Buffers(Config(), Meters())


@pytest.mark.parametrize(
    ("address", "kind"),
    [("192.0.2.1", InterfaceKind.ETHERNET), ("198.51.100.1", InterfaceKind.CELLULAR)],
)
def test_the_start_is_that_of_the_kind_of_link(
    monitor: Monitor, address: str, kind: InterfaceKind
) -> None:
    assert PROFILES[kind].buffer == start_size(monitor, address)


@pytest.mark.parametrize("address", [None, "203.0.113.1", "testserver"])
def test_of_other_links_nothing_is_known(monitor: Monitor, address: str | None) -> None:
    assert (None, None) == (start_size(monitor, address), start_size(None, "192.0.2.1"))


def test_a_connection_keeps_its_sizes_over_requests(buffers: Buffers) -> None:
    connection = ScriptedConnection()
    body = buffers.incoming(connection, lambda: MiB)
    download = buffers.outgoing(connection, lambda: MiB)

    assert body is buffers.incoming(connection, lambda: 0)
    assert download.size is buffers.outgoing(connection, lambda: 0).size
    assert body is not download.size


def test_of_other_servers_connections_nothing_is_kept(buffers: Buffers) -> None:
    assert MiB == buffers.incoming(None, lambda: MiB).bytes
    assert UNKNOWN == buffers.incoming(None, lambda: None).bytes


def test_where_the_kernel_cannot_be_asked_less_is_read(buffers: Buffers) -> None:
    assert 128 * 1024 == buffers.outgoing(None, lambda: MiB).next_size()
