"""The client of a request, and the way to it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tusd_py.network import Interface, Monitor, Quality
from tusd_py.network.clients import client_key
from tusd_py.network.tcpinfo import TcpInfo, read_tcp_info
from tusd_py.streaming.connection import Connection


@dataclass(slots=True, kw_only=True)
class ClientLink:
    """Who makes a request, and over what, as far as that can be told.

    Attributes:
        subject: See ``Request``.
        address: That of the client.
        local: That of this machine; None behind a proxy.
        connection: Tells what the kernel knows of it; None if nobody can, or behind a proxy.
        direct: The connection is the client's own.
        facts: What was measured, for the log.
    """

    subject: str | None
    address: str | None
    local: str | None = None
    connection: Connection | None = None
    direct: bool = True
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def key(self) -> str | None:
        """Names the client; None if it has no name."""
        return client_key(self.subject, self.address)

    def tcp_info(self) -> TcpInfo | None:
        """What the kernel knows of the connection."""
        return None if self.connection is None else read_tcp_info(self.connection)

    def note(self, quality: Quality) -> None:
        """Let the log tell what was measured."""
        figures = {
            "rtt": quality.latency,
            "jitter": quality.jitter,
            "loss": quality.loss,
            "rate": quality.rate,
        }
        for name, value in figures.items():
            if value is not None:
                self.facts[name] = round(value) if name == "rate" else round(value, 6)

    def interface(self, monitor: Monitor | None) -> Interface | None:
        """The interface of this machine over which it came; None if that cannot be told."""
        return None if monitor is None else monitor.at(self.local)


FindLink = Callable[[], ClientLink]
"""Gives the link of a request; most are never asked for it."""
