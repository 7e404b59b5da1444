"""How large the requests of a client had better be.

``docs/design/network.md`` has the rules with examples.
"""

from dataclasses import dataclass
from typing import Final

from tusd_py.config.streaming import ChunkAlgorithm
from tusd_py.quantities import KB, MB

from .clients import ClientProfile
from .kinds import InterfaceKind
from .profiles import PROFILES

LEAST: Final = 256 * KB
"""No request need be smaller, and no upload of this size needs advice."""

# Bytes per second, seconds, seconds, and a share of transfers.
FAST: Final = 100 * MB
NEAR: Final = 0.05
FAR: Final = 0.2
RELIABLE: Final = 0.8


@dataclass(frozen=True, slots=True)
class _Rule:
    share: int
    """A chunk is the so-manieth part of the file."""

    most: int


_LARGE: Final = _Rule(share=10, most=10 * MB)
_MEDIUM: Final = _Rule(share=20, most=2 * MB)
_SMALL: Final = _Rule(share=50, most=512 * KB)


def recommended_chunk_size(
    size: int | None,
    *,
    rate: float | None = None,
    latency: float | None = None,
    reliability: float | None = None,
    most: int | None = None,
) -> int:
    """Recommend how many bytes to send with one request; None is not known.

    Args:
        size: Of the file.
        rate: Bytes per second that the client sends.
        latency: Seconds of a round trip.
        reliability: The share of the client's transfers that ended as they should, from 0 to 1.
        most: The most bytes that the file may have.
    """
    rule = _rule(rate, latency, reliability)
    chunk = rule.most if size is None else min(rule.most, size // rule.share)
    return _bounded(chunk, size, most)


def advise(
    algorithm: ChunkAlgorithm,
    profile: ClientProfile | None,
    kind: InterfaceKind | None,
    size: int | None,
    most: int | None = None,
) -> int:
    """Recommend a chunk size by what is known of a client.

    Args:
        algorithm: ``fixed`` looks at the kind of interface alone, ``adaptive`` at what was measured
            lately, ``predictive`` at what that is about to become.
        profile: Of the client; None if nothing is known of it.
        kind: Of the interface of this machine that leads to the client; None if it cannot be told.
        size: Of the file; None if it is not known.
        most: The most bytes that the file may have.
    """
    if algorithm == "fixed" and kind is not None:
        return _bounded(PROFILES[kind].chunk, size, most)
    if algorithm == "fixed" or profile is None:
        return recommended_chunk_size(size, most=most)
    rate, latency = profile.rate, profile.latency
    ahead = algorithm == "predictive"
    return recommended_chunk_size(
        size,
        rate=None if rate is None else rate.next if ahead else rate.level,
        latency=None if latency is None else latency.next if ahead else latency.level,
        reliability=profile.reliability,
        most=most,
    )


def _rule(rate: float | None, latency: float | None, reliability: float | None) -> _Rule:
    # First, so that what makes a link worse never makes a chunk larger.
    if (reliability is not None and reliability < RELIABLE) or (latency or 0.0) > FAR:
        return _SMALL
    if rate is not None and rate > FAST and latency is not None and latency < NEAR:
        return _LARGE
    return _MEDIUM


def _bounded(chunk: int, size: int | None, most: int | None) -> int:
    limits = [limit for limit in (size, most) if limit is not None]
    return min([max(LEAST, chunk), *limits])
