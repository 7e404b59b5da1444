"""Hooks over the interface in use: where they begin, and what becomes of them when it is lost."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.hook_receiver import PORT
from tests.e2e.roaming import SERVER as APPLICATION
from tests.e2e.roaming import HostedServer
from tests.e2e.watching import Telling
from tests.support.namespaces import Host, host

pytestmark = [pytest.mark.quiet, pytest.mark.timeout(60)]

ADDRESSES = {"eth1": "192.0.2.1", "wlan1": "198.51.100.1"}
# Long beside what an upload over a lost link may take.
TIMEOUT = 12.0
SETTINGS = """
[hooks]
http = "http://{application}:{port}/"
enabled_events = ["pre-create", "network.switched"]
http_timeout = "{timeout}s"
[network]
interface_priority = ["{preferred}"]
{more}
"""


@dataclass(frozen=True)
class Calling:
    """A server with two links to its application; the system prefers eth1."""

    here: Host
    there: Host
    server: HostedServer
    application: Telling

    @property
    def creation(self) -> list[str]:
        """A command that creates an upload."""
        headers = ("-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: 1")
        return ["curl", "-sS", "--fail", "-X", "POST", self.server.url, *headers]

    def begins_at(self) -> str:
        """Create an upload, and see where the hook began."""
        self.here.run(*self.creation)
        _, told = self.application.until("pre-create")
        return str(told[-1]["begins_at"])

    def switch_off(self) -> None:
        """Take wlan1 down: its routes are gone."""
        self.here.ip("link", "set", "wlan1", "down")

    def pull(self) -> None:
        """Pull the cable of eth1: the system still sends over it."""
        self.there.ip("link", "set", "far1", "down")

    def history(self) -> dict[str, object]:
        """What ``tusd-py network`` says of the running server."""
        command = (sys.executable, "-m", "tusd_py", "network", "--json", "--data-dir")
        told: dict[str, dict[str, object]] = json.loads(
            self.here.run(*command, str(self.server.data_dir))
        )
        return told["server"]


@contextmanager
def calling(
    folder: Path, *, preferred: str = "wlan1", silent: int = 0, more: str = ""
) -> Iterator[Calling]:
    """Make the hosts, and start the application and the server.

    Args:
        folder: For the server.
        preferred: The interface that the server prefers.
        silent: How many hooks are never answered.
        more: Further settings of the network.
    """
    settings = folder / "settings.toml"
    settings.write_text(
        SETTINGS.format(
            application=APPLICATION, port=PORT, timeout=TIMEOUT, preferred=preferred, more=more
        )
    )
    with ExitStack() as stack:
        here, there = stack.enter_context(host()), stack.enter_context(host())
        for link, peer in (("eth1", "far1"), ("wlan1", "far2")):
            here.link(link, f"{ADDRESSES[link]}/24", to=there, peer=peer)
        there.ip("address", "add", "192.0.2.9/24", "dev", "far1")
        there.ip("address", "add", "198.51.100.9/24", "dev", "far2")
        there.ip("address", "add", f"{APPLICATION}/32", "dev", "lo")
        here.ip("route", "add", "default", "via", "192.0.2.9", "metric", "10")
        here.ip("route", "add", "default", "via", "198.51.100.9", "metric", "20")
        application = stack.enter_context(
            Telling(there, APPLICATION, str(silent), module="tests.e2e.hook_receiver")
        )
        application.until("listening")
        server = LocalServer(here, folder / "data", "--config", str(settings))
        yield Calling(here, there, stack.enter_context(server), application)


class LocalServer(HostedServer):
    """A server that its own host uses."""

    address = "127.0.0.1"


@pytest.mark.parametrize(
    ("first", "second", "lose"),
    [("wlan1", "eth1", Calling.switch_off), ("eth1", "wlan1", Calling.pull)],
)
def test_hooks_begin_at_the_interface_in_use_and_move_with_it(
    tmp_path: Path, first: str, second: str, lose: Callable[[Calling], None]
) -> None:
    with calling(tmp_path, preferred=first) as made:
        before = made.begins_at()
        lose(made)
        _, told = made.application.until("network.switched")
        after = made.begins_at()
        history = made.history()

    assert [ADDRESSES[first], ADDRESSES[second]] == [before, after]
    assert ADDRESSES[second] == told[-1]["begins_at"]
    facts = {"Before": first, "After": second, "Reason": "lost"}
    assert facts.items() <= told[-1]["network"].items()
    assert abs(time.time() - told[-1]["network"]["At"]) < 30
    assert {"running": True, "active": second}.items() <= history.items()
    switches = history["history"]
    assert isinstance(switches, list)
    assert [(first, second, "lost")] == [
        (each["before"], each["after"], each["reason"]) for each in switches
    ]


def test_a_request_on_a_link_that_is_lost_is_sent_again_at_once(tmp_path: Path) -> None:
    with calling(tmp_path, silent=1) as made, ExitStack() as stack:
        running = stack.enter_context(subprocess.Popen(made.here.command(*made.creation)))
        _, asked = made.application.until("pre-create")
        moment = time.monotonic()
        made.switch_off()
        at, again = made.application.until("pre-create")
        assert 0 == running.wait(TIMEOUT)

    assert [*reversed(ADDRESSES.values())] == [asked[-1]["begins_at"], again[-1]["begins_at"]]
    assert asked[-1]["id"] == again[-1]["id"]
    assert at - moment < 1


def test_where_that_is_not_wanted_it_waits_for_its_time(tmp_path: Path) -> None:
    quiet = "chunk_retry_on_switch = false\nswitch_notification_enabled = false"
    with calling(tmp_path, silent=1, more=quiet) as made, ExitStack() as stack:
        stack.enter_context(subprocess.Popen(made.here.command(*made.creation)))
        made.application.until("pre-create")
        made.switch_off()
        assert [] == made.application.rest(3)
