"""A client with two links and a server that it reaches over both, on hosts of their own."""

from __future__ import annotations

import hashlib
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.namespaces import Host, host
from tests.support.server import POLL_INTERVAL, START_TIMEOUT, ServerDied, ServerProcess

SERVER = "203.0.113.5"
ETH1, WLAN1 = "192.0.2.1/24", "198.51.100.1/24"
_GATEWAYS = {"eth1": "192.0.2.9", "wlan1": "198.51.100.9"}
_METRICS = {"eth1": "10", "wlan1": "20"}
_FAR = {"eth1": "far1", "wlan1": "far2"}


class HostedServer(ServerProcess):
    """A server that only its own host, and those that it has links to, can reach."""

    address = SERVER

    def __init__(self, on: Host, data_dir: Path, *options: str) -> None:
        super().__init__(data_dir, "--log-format", "json", *options, port=1080)
        self._on = on

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}/files/"

    def command(self) -> list[str]:
        # The last of two hosts counts.
        return self._on.command(*super().command(), "--host", self.address)

    def _wait_until_it_accepts(self) -> None:
        process, since = self._running(), self.log_size()
        deadline = time.monotonic() + START_TIMEOUT
        while not self.wrote("server.started", since):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerDied(f"it does not start\n{self.log()}")
            time.sleep(POLL_INTERVAL)


@dataclass(frozen=True)
class Roaming:
    """What the tests are made on.

    Attributes:
        client: Has eth1, which is preferred, and wlan1.
        middle: Has the other ends of both links: the server's host, or a router before it.
        server: Listens on an address that both links lead to.
        eye: The process id of somebody on the middle host, through whom its interfaces can be seen.
    """

    client: Host
    middle: Host
    server: HostedServer
    eye: int

    def route(self, link: str) -> None:
        """Let the client's packets for the server go over a link, too."""
        way = ("via", _GATEWAYS[link], "dev", link, "metric", _METRICS[link])
        self.client.ip("route", "replace", f"{SERVER}/32", *way)

    def switch_off(self, link: str) -> None:
        """Take a link down at the client; its routes are gone."""
        self.client.ip("link", "set", link, "down")

    def switch_on(self, link: str) -> None:
        """Take it up again, with its route."""
        self.client.ip("link", "set", link, "up")
        self.route(link)

    def cut_off(self, link: str) -> None:
        """Do what phones do once they see that a link is gone: end connections, and its routes."""
        self.client.run("ss", "-K", "-t", "dst", SERVER)
        self.client.ip("route", "delete", f"{SERVER}/32", "dev", link)

    def pull(self, link: str) -> None:
        """Pull a cable at its far end: the client's addresses and routes stay."""
        self.middle.ip("link", "set", _FAR[link], "down")

    def plug_in(self, link: str) -> None:
        """Plug it in again."""
        self.middle.ip("link", "set", _FAR[link], "up")

    def until_stored(self, count: int) -> None:
        """Wait until the server has so many bytes of unfinished uploads."""
        deadline = time.monotonic() + START_TIMEOUT
        while self.stored < count:
            assert time.monotonic() < deadline, self.server.log()
            time.sleep(POLL_INTERVAL)

    @property
    def stored(self) -> int:
        """Bytes that are in the files of the server."""
        return stored_in(self.server.data_dir)

    def digest(self) -> str:
        """The SHA-256 of the one file that is finished."""
        (file,) = (each for each in (self.server.data_dir / "files").rglob("*") if each.is_file())
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()


def stored_in(data_dir: Path) -> int:
    """Bytes in the files of unfinished uploads."""
    total = 0
    for file in data_dir.glob("uploads/?/?/*"):
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            # It is finished.
            continue
    return total


@contextmanager
def roaming(folder: Path, rate: str, *, routed: bool) -> Iterator[Roaming]:
    """Make the hosts and start the server.

    Args:
        folder: For the server's data.
        rate: The most that the client sends over each link, such as 100mbit.
        routed: A router stands before the server, so that its host sees nothing of the links.
    """
    with ExitStack() as stack:
        client, middle = stack.enter_context(host()), stack.enter_context(host())
        client.link("eth1", ETH1, to=middle, peer=_FAR["eth1"])
        client.link("wlan1", WLAN1, to=middle, peer=_FAR["wlan1"])
        for link, gateway in _GATEWAYS.items():
            middle.ip("address", "add", f"{gateway}/24", "dev", _FAR[link])
            client.limit(link, rate)
        serving = _routed(middle, stack.enter_context(host())) if routed else middle
        if not routed:
            middle.ip("address", "add", f"{SERVER}/32", "dev", "lo")
        server = HostedServer(serving, folder / "data", "--durability", "process")
        eye = stack.enter_context(subprocess.Popen(middle.command("sleep", "infinity")))
        stack.callback(eye.kill)
        made = Roaming(client, middle, stack.enter_context(server), eye.pid)
        for link in _GATEWAYS:
            made.route(link)
        yield made


def _routed(router: Host, server: Host) -> Host:
    server.link("eth0", f"{SERVER}/24", to=router, peer="inner")
    router.ip("address", "add", "203.0.113.1/24", "dev", "inner")
    server.ip("route", "add", "default", "via", "203.0.113.1")
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    return server


@dataclass(frozen=True)
class Seen:
    """How things were at a moment."""

    at: float
    stored: int
    received: dict[str, int]
    """Bytes that came over each link to its far end."""


class Growth:
    """Looks again and again at what the server has, from a thread."""

    # Seconds between two looks.
    _EVERY = 0.005
    # More than a connection and a HEAD bring.
    _A_BODY = 32 * 1024

    def __init__(self, of: Roaming) -> None:
        self._of = of
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._seen: list[Seen] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def resumed_after(self, moment: float, link: str) -> float:
        """Seconds from a moment until a byte was stored that came over a link after it."""
        later = iter([each for each in self._seen if each.at >= moment])
        first = next(later)
        came = next(s for s in later if s.received[link] > first.received[link] + self._A_BODY)
        grown = next(each for each in later if each.stored > came.stored)
        return grown.at - moment

    def _look(self) -> None:
        while not self._ended.wait(self._EVERY):
            self._seen.append(Seen(time.monotonic(), self._of.stored, self._received()))

    def _received(self) -> dict[str, int]:
        lines = Path(f"/proc/{self._of.eye}/net/dev").read_text().splitlines()[2:]
        pairs = (line.split(":") for line in lines)
        counts = {name.strip(): int(rest.split()[0]) for name, rest in pairs}
        return {link: counts[far] for link, far in _FAR.items()}
