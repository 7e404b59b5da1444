"""What is known of one client, and how that changes with what it does."""

import math
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple

from .quality import UNKNOWN, Quality
from .trend import Trend, trend_after

# How much a transfer counts among those before it: five are half of what is known.
WEIGHT: Final = 0.2
# The same for figures that nothing is predicted from.
_SMOOTHING: Final = 0.5

# What is beyond these is no measurement: bytes per second, and seconds.
_MOST_RATE: Final = 1e12
_MOST_LATENCY: Final = 60.0

# The links of a machine are few, but their names can be anything.
_MOST_INTERFACES: Final = 8


class SeenInterface(NamedTuple):
    """An interface of this machine over which a client came, and how often."""

    name: str
    kind: str
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one transfer showed, or a part of it."""

    at: float
    """Unix time in seconds."""

    quality: Quality = UNKNOWN
    download: bool = False
    whole: bool | None = None
    """It ended as it should; None says nothing about that."""

    interface: tuple[str, str] | None = None
    """Name and kind of that of this machine; None if it cannot be told, or was counted."""


class ClientProfile(NamedTuple):
    """One client as it was lately. Times are in seconds; None is not known."""

    key: str
    """See ``client_key``."""

    first_seen: float
    """Unix time."""

    last_seen: float
    transfers: int = 0
    """Uploads' bodies that ended, well or badly."""

    downloads: int = 0
    reliability: float | None = None
    """The share of its transfers that ended as they should, from 0 to 1; recent ones count more."""

    rate: Trend | None = None
    """Bytes per second that it sends."""

    latency: Trend | None = None
    download_rate: float | None = None
    """Bytes per second that reach it."""

    jitter: float | None = None
    loss: float | None = None
    """The share of what it was sent that got lost, from 0 to 1."""

    interfaces: tuple[SeenInterface, ...] = ()
    """Those of this machine, most used first."""

    @property
    def quality(self) -> Quality:
        """Of its link."""
        return Quality(
            latency=self.latency.level if self.latency is not None else None,
            jitter=self.jitter,
            loss=self.loss,
            rate=self.rate.level if self.rate is not None else None,
        )

    def after(self, seen: Observation) -> "ClientProfile":
        """The profile with one observation more; absurd figures don't count."""
        quality = seen.quality
        rate = _sane(quality.rate, _MOST_RATE)
        return self._replace(
            last_seen=seen.at,
            transfers=self.transfers + (seen.whole is not None),
            downloads=self.downloads + seen.download,
            reliability=_reliability(self.reliability, seen.whole),
            rate=trend_after(self.rate, None if seen.download else rate),
            latency=trend_after(self.latency, _sane(quality.latency, _MOST_LATENCY)),
            download_rate=_blend(self.download_rate, rate if seen.download else None),
            jitter=_blend(self.jitter, _sane(quality.jitter, _MOST_LATENCY)),
            loss=_blend(self.loss, _sane(quality.loss, 1.0)),
            interfaces=_counted(self.interfaces, seen.interface),
        )


def client_key(subject: str | None, address: str | None) -> str | None:
    """Name a client: by its subject, or else by its address; None if it has neither.

    A subject that looks like an address is none. One that is no text has no name.
    """
    if subject is not None:
        return f"subject:{subject}" if _is_text(subject) else None
    parsed = _parsed(address)
    return None if parsed is None else f"address:{parsed}"


def _is_text(value: str) -> bool:
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeError:
        return False


def _parsed(address: str | None) -> str | None:
    """An address in its one form. A zone belongs to it: on another link it is another machine."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(parsed if mapped is None else mapped)


def _reliability(before: float | None, whole: bool | None) -> float | None:
    if whole is None:
        return before
    # A client is taken for reliable before it is known, so that one mishap is not all there is.
    before = 1.0 if before is None else before
    return before + WEIGHT * (float(whole) - before)


def _sane(value: float | None, most: float) -> float | None:
    return value if value is not None and math.isfinite(value) and 0 <= value <= most else None


def _blend(before: float | None, value: float | None) -> float | None:
    if value is None or before is None:
        return before if value is None else value
    return before + _SMOOTHING * (value - before)


def _counted(
    seen: tuple[SeenInterface, ...], interface: tuple[str, str] | None
) -> tuple[SeenInterface, ...]:
    if interface is None:
        return seen
    counts = {(each.name, each.kind): each.times for each in seen}
    counts[interface] = counts.get(interface, 0) + 1
    found = sorted(counts.items(), key=lambda each: (-each[1], each[0] != interface))
    return tuple(SeenInterface(*name, times) for name, times in found[:_MOST_INTERFACES])
