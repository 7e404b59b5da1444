"""A circuit breaker: who keeps failing is left alone for a while.

House rules: nothing here waits, calls or knows what is called. It is told what happened, and says
whether to call; time comes in through a clock.
"""

from collections.abc import Callable
from enum import StrEnum


class BreakerState(StrEnum):
    """Closed: all calls go through. Open: none does. Half open: one does, and decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Opens after some failures in a row, and lets one call through now and then to see.

    A call that was admitted before it opened tells nothing any more: only the one that was let
    through to see closes it.

    Args:
        clock: Tells monotonic time in seconds.
        failures: How many in a row open it.
        first_pause: For how many seconds it is open then; twice as long after each try that fails.
        longest_pause: The most seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        failures: int = 5,
        first_pause: float = 1.0,
        longest_pause: float = 30.0,
    ) -> None:
        self._clock = clock
        self._most = failures
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._in_a_row = 0
        self._pause = first_pause
        self._until: float | None = None
        self._trying = False

    @property
    def state(self) -> BreakerState:
        """What it is at this moment."""
        if self._until is None:
            return BreakerState.CLOSED
        if self._trying or self._clock() >= self._until:
            return BreakerState.HALF_OPEN
        return BreakerState.OPEN

    @property
    def ready(self) -> bool:
        """A call would be admitted."""
        return self.state is BreakerState.CLOSED or (
            self.state is BreakerState.HALF_OPEN and not self._trying
        )

    def admit(self) -> "Call | None":
        """Let a call through, or say with None that it shall not be made."""
        if not self.ready:
            return None
        self._trying = self._until is not None
        return Call(self, probe=self._trying)

    def _succeeded(self, *, probe: bool) -> None:
        if probe:
            self._until, self._trying = None, False
            self._pause = self._first_pause
        if self._until is None:
            self._in_a_row = 0

    def _failed(self, *, probe: bool) -> None:
        if probe:
            self._trying = False
            self._pause = min(self._pause * 2, self._longest_pause)
            self._until = self._clock() + self._pause
        elif self._until is None:
            self._in_a_row += 1
            if self._in_a_row >= self._most:
                self._until = self._clock() + self._pause

    def _abandoned(self, *, probe: bool) -> None:
        if probe:
            # Nobody knows more than before: the next one may try.
            self._trying = False


class Call:
    """A call that a breaker let through; it is told how the call ended, once.

    Args:
        breaker: The breaker.
        probe: The call was let through to see.
    """

    def __init__(self, breaker: Breaker, *, probe: bool) -> None:
        self._breaker = breaker
        self._probe = probe

    def succeeded(self) -> None:
        """There was an answer, whatever it says."""
        self._breaker._succeeded(probe=self._probe)  # noqa: SLF001 - a part of it

    def failed(self) -> None:
        """There was none, or one that says that the other side failed."""
        self._breaker._failed(probe=self._probe)  # noqa: SLF001 - a part of it

    def abandoned(self) -> None:
        """It was given up for reasons of our own."""
        self._breaker._abandoned(probe=self._probe)  # noqa: SLF001 - a part of it
