"""How good a link is: what was measured, and one figure from it.

``docs/design/network.md`` has the formula with examples, and says what each figure is worth.
"""

import math
from dataclasses import dataclass
from typing import Final

from .interfaces import Counters
from .tcpinfo import TcpInfo

# What halves a part of the score: seconds, seconds, and a share of packets.
HALF_LATENCY: Final = 0.5
HALF_JITTER: Final = 0.1
HALF_LOSS: Final = 0.05

# How much a part weighs; those that are not known leave theirs to the others.
WEIGHTS: Final = {"loss": 0.5, "latency": 0.35, "jitter": 0.15}

# Fewer packets say nothing about how many of a hundred get lost.
_ENOUGH_PACKETS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What is known of a link or of a connection; None is not known."""

    latency: float | None = None
    """Seconds of a round trip."""

    jitter: float | None = None
    """Seconds by which round trips differ from ``latency``, on average."""

    loss: float | None = None
    """The share of what was sent that got lost, from 0 to 1."""

    rate: float | None = None
    """Bytes per second."""

    @property
    def score(self) -> float | None:
        """From 0, of no use, to 1; None if nothing is known that it is made of."""
        return score(latency=self.latency, jitter=self.jitter, loss=self.loss)


UNKNOWN: Final = Quality()


def score(*, latency: float | None, jitter: float | None, loss: float | None) -> float | None:
    """The weighted geometric mean of the parts that are known, each from 0 to 1."""
    parts = {
        "latency": None if latency is None else 1 / (1 + latency / HALF_LATENCY),
        "jitter": None if jitter is None else 1 / (1 + jitter / HALF_JITTER),
        "loss": None if loss is None else (1 - loss) / (1 + loss / HALF_LOSS),
    }
    known = [(WEIGHTS[name], part) for name, part in parts.items() if part is not None]
    if not known:
        return None
    together = sum(weight for weight, _ in known)
    mean: float = math.prod(part ** (weight / together) for weight, part in known)
    return mean


def of_upload(before: TcpInfo | None, now: TcpInfo, seconds: float) -> Quality:
    """Judge a connection that sends to this machine, by what came in so many seconds.

    What its segments suffer on the way, only the sender knows.
    """
    return Quality(
        latency=now.receive_rtt,
        rate=_rate(_more(before, now, "bytes_received"), seconds),
    )


def of_download(before: TcpInfo | None, now: TcpInfo) -> Quality:
    """Judge a connection that this machine sends to, by what it sent since ``before``."""
    sent, resent = _more(before, now, "bytes_sent"), _more(before, now, "bytes_resent")
    if sent is None or resent is None:
        sent, resent = _more(before, now, "segments_sent"), _more(before, now, "retransmissions")
    return Quality(
        latency=now.rtt,
        jitter=now.rtt_variance,
        loss=min(1.0, resent / sent) if sent and resent is not None else None,
        rate=now.delivery_rate,
    )


def loss_of(before: Counters, now: Counters) -> float | None:
    """The share of an interface's packets that were damaged or thrown away on this machine.

    None if too few went through it, or its counters began anew.
    """
    packets = (
        now.packets_sent - before.packets_sent + now.packets_received - before.packets_received
    )
    bad = now.errors - before.errors + now.drops - before.drops
    if packets < _ENOUGH_PACKETS or bad < 0:
        return None
    return bad / (packets + bad)


def _more(before: TcpInfo | None, now: TcpInfo, name: str) -> int | None:
    value: int | None = getattr(now, name)
    first: int | None = getattr(before, name) if before is not None else 0
    return None if value is None or first is None else value - first


def _rate(size: int | None, seconds: float) -> float | None:
    return size / seconds if size is not None and seconds > 0 else None
