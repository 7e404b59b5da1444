"""How much of a body or a download is moved at once, chosen for each connection."""

import time
from collections.abc import Callable
from typing import Final

from tusd_py.config import Streaming
from tusd_py.quantities import KB, KiB, MiB

from .budget import BufferBudget

# A buffer is to take what a connection brings in so many seconds, and holds it no longer.
FILL: Final = 0.02
# So much any connection may hold, however slow it is.
SMALL: Final = 64 * KiB
# The start on a link that nobody knows.
UNKNOWN: Final = 256 * KB
# A larger size has to pay by this factor more, or a connection between two would change for ever.
_GAIN: Final = 1.25
# The kernels at both ends of a connection take so much although nobody reads it.
ABSORBED: Final = 16 * MiB
# A body is moved in so many steps at least, so that one can be written while the next one comes.
_STEPS: Final = 4


def next_size(size: int, rate: float, rules: Streaming) -> int:
    """Choose a buffer's size for a connection that moved so many bytes per second.

    It is at most what the connection moves in ``FILL`` seconds, or the smallest that there is. A
    size that has become too large is halved, for a single moment says little: the machine may have
    been busy.

    Args:
        size: The size in bytes until now.
        rate: Bytes per second.
        rules: The bounds.
    """
    wanted = rate * FILL
    most = max(_step_below(wanted, rules), size // 2)
    return max(_step_below(wanted / _GAIN, rules), min(size, most))


def _step_below(wanted: float, rules: Streaming) -> int:
    """The largest doubling of the smallest size that is not more than is wanted."""
    if wanted >= rules.max_buffer_size:
        return rules.max_buffer_size
    doublings = int(wanted / rules.min_buffer_size).bit_length() - 1
    return rules.min_buffer_size << max(0, doublings)


def _unnoticed() -> None:
    """Take no notice of a change."""


class BufferSize:
    """The size of one connection's buffers in one direction.

    Only the event loop changes it; worker threads may look.

    Args:
        budget: Shared by all transfers of the process.
        rules: How to choose.
        start: The size in bytes to begin with, until something was measured; None where nothing is
            known of the link.
        changed: Called with each change.
        clock: Gives seconds that never go back.

    Attributes:
        budget: The same.
        bytes: The size, for what is not held in memory.
    """

    def __init__(
        self,
        budget: BufferBudget,
        rules: Streaming,
        start: int | None = None,
        *,
        changed: Callable[[], None] = _unnoticed,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget = budget
        self.bytes = rules.max_buffer_size
        if rules.adaptive_buffers:
            self.bytes = max(rules.min_buffer_size, min(start or UNKNOWN, self.bytes))
        self._rules = rules
        # What was only assumed is replaced sooner.
        self._interval = min(FILL, rules.buffer_optimization_interval)
        self._changed = changed
        self._clock = clock
        self._moved = self._moved_before = 0
        self._since = self._latest = clock()

    def begin(self) -> None:
        """Leave out what was since the latest bytes: the connection had nothing to move."""
        now = self._clock()
        self._since += now - self._latest
        self._latest = now

    def moved(self, size: int) -> None:
        """Count bytes that were moved, and choose again when it is time to."""
        self._moved += size
        now = self._latest = self._clock()
        seconds = now - self._since
        if seconds < self._interval or not self._rules.adaptive_buffers:
            return
        self._interval = self._rules.buffer_optimization_interval
        chosen = next_size(self.bytes, self._moved / seconds, self._rules)
        self._moved, self._moved_before, self._since = 0, self._moved, now
        if chosen != self.bytes:
            self.bytes = chosen
            self._changed()

    def to_write(self, left: int | None) -> int:
        """The size for bytes that wait in memory to be written.

        Args:
            left: How many bytes are still to come, if that is known.
        """
        fair = self.budget.fair
        return self._within(fair if left is None else min(fair, left // _STEPS))

    def to_send(self, room: int) -> int:
        """The size for bytes that wait in memory to be sent.

        It is no more than the kernel takes at once, for nobody knows when a client will read,
        unless this one has just read a lot.

        Args:
            room: How many the kernel takes now.
        """
        share = 0 if self.budget.spent else self.budget.fair
        return self._within(share if self._moved_before >= ABSORBED else min(share, room))

    def _within(self, most: int) -> int:
        if not self._rules.adaptive_buffers:
            return self.bytes
        return min(self.bytes, max(most, self._rules.min_buffer_size))
