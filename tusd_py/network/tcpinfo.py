"""What the kernel knows about one TCP connection."""

import socket
import struct
import sys
from dataclasses import dataclass
from typing import Final, Protocol

# More than any kernel fills; what is beyond the fields below is not read.
_ROOM: Final = 512
# The measured times are at 68 to 76 since Linux 2.6; less than that is no answer.
_LEAST: Final = 104
_MICROSECONDS: Final = 10**6
_NO_MINIMUM: Final = 2**32 - 1


class HasOptions(Protocol):
    """A socket, or what a transport gives for one."""

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes:
        """Read an option of the socket."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpInfo:
    """Times are in seconds. None is what the kernel has not measured, or is too old to know."""

    rtt: float | None
    """Smoothed, of what this side sent; a receiver sends little, so it says little there."""

    rtt_variance: float | None
    """How far round trips differ from ``rtt``, on average."""

    least_rtt: float | None
    receive_rtt: float | None
    """As a receiver estimates it from how its window fills; too long while the sender idles."""

    retransmissions: int
    """Segments that were sent again, since the connection began."""

    segments_sent: int | None
    bytes_sent: int | None
    bytes_resent: int | None
    bytes_acknowledged: int | None
    bytes_received: int | None
    delivery_rate: int | None
    """Bytes per second that reached the other side lately."""


def parse_tcp_info(data: bytes) -> TcpInfo | None:
    """Read Linux's ``struct tcp_info``, of which older kernels have only the beginning.

    None is what is too short to be one.
    """
    if len(data) < _LEAST:
        return None
    least = _at(data, 148, "I")
    return TcpInfo(
        rtt=_seconds(_at(data, 68, "I")),
        rtt_variance=_seconds(_at(data, 72, "I")) if _at(data, 68, "I") else None,
        least_rtt=None if least == _NO_MINIMUM else _seconds(least),
        receive_rtt=_seconds(_at(data, 92, "I")),
        retransmissions=_at(data, 100, "I") or 0,
        segments_sent=_at(data, 136, "I"),
        bytes_sent=_at(data, 200, "Q"),
        bytes_resent=_at(data, 208, "Q"),
        bytes_acknowledged=_at(data, 120, "Q"),
        bytes_received=_at(data, 128, "Q"),
        delivery_rate=_at(data, 160, "Q") or None,
    )


def read_tcp_info(connection: HasOptions) -> TcpInfo | None:
    """Ask about a connection; None where the system does not say, or it is none of TCP.

    It is the connection to whoever is next: behind a proxy that is the proxy.
    """
    if sys.platform != "linux":
        return None
    try:
        return parse_tcp_info(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ROOM))
    except OSError:
        return None


def _at(data: bytes, offset: int, code: str) -> int | None:
    if len(data) < offset + struct.calcsize(code):
        return None
    (value,) = struct.unpack_from(f"={code}", data, offset)
    return int(value)


def _seconds(microseconds: int | None) -> float | None:
    # The kernel leaves zero where it has not measured.
    return microseconds / _MICROSECONDS if microseconds else None
