"""Hosts of their own for tests: network namespaces with real links, which take root to make."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .tools import leave_out, require_tool

_TUN = Path("/dev/net/tun")
_FOLDER = Path("/run/netns")
# From linux/sched.h.
_NETWORK = 0x40000000
_PATIENCE = 10.0


class Host:
    """A network namespace: it has interfaces, addresses and routes of its own."""

    def __init__(self, name: str) -> None:
        self.name = name

    def ip(self, *arguments: str) -> None:
        """Run ``ip`` on this host."""
        command = ("ip", "-n", self.name, *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert 0 == done.returncode, f"{' '.join(command)}: {done.stderr}"

    def command(self, *arguments: str) -> list[str]:
        """What runs a program on this host."""
        return ["ip", "netns", "exec", self.name, *arguments]

    def run(self, *arguments: str) -> str:
        """Run a program on this host and return what it wrote."""
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, check=True
        ).stdout

    def connected(self, address: str, port: int) -> socket.socket:
        """A connection from this host, in the hands of the test."""
        # A thread can be on another host than its process; this one ends at once.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._connect, address, port).result()

    def _connect(self, address: str, port: int) -> socket.socket:
        with (_FOLDER / self.name).open("rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _NETWORK):
                raise OSError(ctypes.get_errno(), "this thread cannot go to another host")
        return socket.create_connection((address, port), _PATIENCE)

    def link(self, name: str, *addresses: str, to: Host, peer: str) -> None:
        """Lay a cable to an interface of another host; both ends are up."""
        ends = ("add", name, "type", "veth", "peer", "name", peer, "netns", to.name)
        self.ip("link", *ends)
        for host, end in ((self, name), (to, peer)):
            # Otherwise each end gives itself an address some time after it is up.
            host.ip("link", "set", end, "addrgenmode", "none")
        for address in addresses:
            # Without nodad, an address of IPv6 cannot be used for a second.
            self.ip("address", "add", address, "dev", name, *(["nodad"] if ":" in address else []))
        to.ip("link", "set", peer, "up")
        self.ip("link", "set", name, "up")

    def limit(self, name: str, rate: str) -> None:
        """Let an interface send no faster than so, such as 100mbit."""
        require_tool("tc")
        shape = ("root", "tbf", "rate", rate, "burst", "512k", "latency", "50ms")
        self.run("tc", "qdisc", "add", "dev", name, *shape)

    def tunnel(self, name: str) -> None:
        """Make a tun device, which is down."""
        if not _TUN.exists():
            leave_out(f"needs {_TUN}")
        self.ip("tuntap", "add", "dev", name, "mode", "tun")


@contextmanager
def host() -> Iterator[Host]:
    """A host with a loopback only; what was made on it goes with it."""
    require_tool("ip")
    if os.geteuid() != 0:
        leave_out("a network namespace takes root to make")
    # Several test runs share the machine.
    made = Host(f"tusd-py-{uuid.uuid4().hex[:8]}")
    subprocess.run(["ip", "netns", "add", made.name], check=True)
    with ExitStack() as stack:
        stack.callback(subprocess.run, ["ip", "netns", "delete", made.name], check=True)
        made.ip("link", "set", "lo", "up")
        yield made
