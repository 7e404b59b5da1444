"""How the machine's links are watched, and which one is used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .checks import (
    YES_OR_NO,
    Check,
    each,
    optional,
    problems_of,
    refuse,
    seconds,
    test,
    text,
    whole,
    within,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """How the machine's links are watched, and which one is used. Times are in seconds.

    Raises:
        ConfigError: Values are wrong; it names all of them.
    """

    networkchangedetection: bool = True
    """Watch the links, so that what happens to them is known at once. Default: yes."""

    reconnectdelay: float = 2.0
    """For how long an interface must not change to have settled. Default: 2."""

    uploadpauseonchange: bool = False
    """Pause all uploads at any change, until it has settled, and not only those that can feel it.

    Default: no.
    """

    seamless_switching: bool = True
    """Wait whether the connection of an upload lives on after its link or address was lost; if not,
    it is ended as soon as what came is safe. Default: yes.
    """

    keepaliveinterval: int = 15
    """Ask the other end of a connection that is silent for so many seconds whether it is there, and
    again as often; three times in vain end it. 0 never asks. Of the standalone server only.

    Default: 15.
    """

    interface_priority: tuple[str, ...] = ()
    """Names of interfaces, the best first; others come after them, by their kind.

    Default: none.
    """

    interface_override: str | None = None
    """The interface to use whenever it can be used, however good it is. Default: none."""

    auto_switch_enabled: bool = True
    """Leave an interface that is lost or bad for another. Default: yes."""

    switch_threshold_latency: float = 0.5
    """A link with longer round trips is bad. Default: 0.5."""

    switch_threshold_packet_loss: float = 0.05
    """A link that loses a larger share than this, from 0 to 1, is bad. Default: 0.05."""

    switch_dwell: float = 10.0
    """The least time between two switches, unless the interface in use is lost. Default: 10."""

    switch_return: float = 30.0
    """How long a preferred interface has to be good before it is used again. Default: 30."""

    switch_notification_enabled: bool = True
    """Tell of a switch to another interface, in the log and by hooks. Default: yes."""

    chunk_retry_on_switch: bool = True
    """Send requests of the server's own at once again if the link that they were on is lost, and
    don't wait for their time-outs. Default: yes.
    """

    probe_target: str | None = None
    """``host:port`` to connect to over each interface, to measure it. Default: none."""

    probe_interval: float = 1.0
    """The time between two measurements. Default: 1."""

    def __post_init__(self) -> None:
        refuse(problems_of(self, NETWORK_CHECKS))


_INTERFACE = re.compile(r"[^\x00-\x1f/]{1,256}")
_TARGET = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s/:\[\]]+)):([0-9]{1,5})")
_MOST_PORT = 65_535


def host_and_port(text: str) -> tuple[str, int] | None:
    """Read ``host:port`` or ``[::1]:port``; None if it is neither."""
    match = _TARGET.fullmatch(text)
    if match is None or not 0 < int(match[3]) <= _MOST_PORT:
        return None
    return match[1] or match[2], int(match[3])


def _is_target(value: object) -> bool:
    return isinstance(value, str) and host_and_port(value) is not None


NETWORK_CHECKS: Final[Mapping[str, Check]] = {
    "networkchangedetection": YES_OR_NO,
    "reconnectdelay": seconds(zero=True),
    "uploadpauseonchange": YES_OR_NO,
    "seamless_switching": YES_OR_NO,
    "keepaliveinterval": whole(0, 32_767, "number of seconds"),
    "interface_priority": each(text(_INTERFACE, "the name of an interface")),
    "interface_override": optional(text(_INTERFACE, "the name of an interface")),
    "auto_switch_enabled": YES_OR_NO,
    "switch_threshold_latency": within(0.001, 60, "a time from 1ms to 60s"),
    "switch_threshold_packet_loss": within(0, 1, "a share from 0% to 100%"),
    "switch_dwell": seconds(zero=True),
    "switch_return": seconds(zero=True),
    "switch_notification_enabled": YES_OR_NO,
    "chunk_retry_on_switch": YES_OR_NO,
    "probe_target": optional(test(_is_target, "of the form host:port or [::1]:port")),
    "probe_interval": seconds(),
}
