"""The buffers of all connections: how large each is, and what they hold together."""

from collections.abc import Callable

from tusd_py.config import Config
from tusd_py.metrics import Meters
from tusd_py.network import Monitor
from tusd_py.network.profiles import PROFILES
from tusd_py.streaming.budget import BufferBudget
from tusd_py.streaming.buffers import BufferSize
from tusd_py.streaming.connection import Connection, Kept
from tusd_py.streaming.pieces import BLIND, Pieces

Start = Callable[[], int | None]
"""Gives the size in bytes to begin with, if anything is known."""


class Buffers:
    """Gives connections the size of their buffers, and counts what these hold.

    Args:
        config: The budget, and how sizes are chosen.
        meters: Count what is done.

    """

    def __init__(self, config: Config, meters: Meters) -> None:
        self._budget = BufferBudget(config.buffer_budget)
        self._rules = config.streaming
        self._meters = meters
        meters.buffer_limit.set(config.buffer_budget)

    def incoming(self, connection: Connection | None, start: Start) -> BufferSize:
        """The size for a body.

        Args:
            connection: What is known of it; None if nothing is.
            start: Gives the size to begin with.
        """
        kept = connection.kept if connection is not None else Kept()
        if kept.incoming is None:
            kept.incoming = self._new(start, self._meters.uploads_resized.add)
        return kept.incoming

    def outgoing(self, connection: Connection | None, start: Start) -> Pieces:
        """How a download is read; the arguments are those of ``incoming``."""
        kept = connection.kept if connection is not None else Kept()
        if kept.outgoing is None:
            kept.outgoing = self._new(start, self._meters.downloads_resized.add)
        if connection is None:
            return Pieces(kept.outgoing, _blind, self._counted)
        pieces = Pieces(kept.outgoing, connection.room, self._counted)
        connection.send_in(pieces)
        return pieces

    def moved(self, size: int) -> None:
        """Count bytes of a body that were moved at once."""
        if size:
            self._meters.received.add(size)
            self._meters.batches.observe(size)
        self._counted()

    def _new(self, start: Start, changed: Callable[[], None]) -> BufferSize:
        return BufferSize(self._budget, self._rules, start(), changed=changed)

    def _counted(self) -> None:
        self._meters.buffered.set(self._budget.held)


def start_size(monitor: Monitor | None, address: str | None) -> int | None:
    """The size in bytes to begin with on a link; None if it is not known.

    Args:
        monitor: Knows the links; None if nobody looks.
        address: This machine's end of the connection; None if it has none.
    """
    interface = monitor.at(address) if monitor is not None else None
    return PROFILES[interface.kind].buffer if interface is not None else None


def _blind() -> int:
    return BLIND
