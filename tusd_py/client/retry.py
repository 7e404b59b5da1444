"""What to do after an attempt that failed: pure decisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tusd_py.quantities import days

from .dates import read_date

_GONE = frozenset({403, 404, 410})
_CONFLICTS = frozenset({409, 460})
# Too busy, too early, too slow: all of them pass. 423 is what tus servers say of a busy upload.
_PASSING = frozenset({408, 423, 425, 429})
# A server that cannot do it, or has no room, does not change its mind within minutes.
_LASTING = frozenset({501, 505, 507})
_LOWEST_SERVER_ERROR = 500

# For so long after a change of the link the back-off is capped, in seconds.
_EAGER: Final = 30.0

# Who asks for more than that asks for this much, in seconds.
_LONGEST_ASKED: Final = days(365)


class Then(Enum):
    """What follows an answer that is no success."""

    AGAIN = "try again after a pause; an upload is asked for its offset first"
    INSPECT = "ask at once whether the upload is there"
    ANEW = "forget the upload and begin a new one"
    FAIL = "give up"


def after(method: str, status: int) -> Then:
    """What an answer of this status means for a request of this method."""
    if status in _PASSING:
        return Then.AGAIN
    if status >= _LOWEST_SERVER_ERROR:
        return Then.FAIL if method == "POST" and status in _LASTING else Then.AGAIN
    if status in _GONE and method == "HEAD":
        return Then.ANEW
    if status in _GONE and method == "PATCH":
        return Then.INSPECT
    if status in _CONFLICTS and method in ("HEAD", "PATCH"):
        return Then.AGAIN
    return Then.FAIL


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """What ``Retry-After`` asks to wait, in seconds.

    Args:
        headers: Of the answer, names in lower case.
        now: Unix time in seconds, for a header that has a date.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_ASKED)
    date = read_date(value)
    return None if date is None else min(max(0.0, date - now), _LONGEST_ASKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What holds of the pauses between attempts. All in seconds.

    Attributes:
        first: The bound of the first pause.
        longest: The longest of all bounds.
        reconnect: The longest bound for a while after the link changed.
        patience: For how long to go on without progress.
        first_contact: The same until the server has answered once: a wrong URL is told soon.
    """

    first: float
    longest: float
    reconnect: float
    patience: float
    first_contact: float


class Backoff:
    """How long to wait before the next attempt, and when there is none.

    Full jitter: a wait is anything between nothing and a bound that doubles with each failure. So
    those who lost one server together do not come back together.

    Args:
        bounds: Of the waits.
        clock: Seconds, of any clock that only goes forward.
        jitter: Something from 0 up to 1.
    """

    def __init__(
        self, bounds: Bounds, *, clock: Callable[[], float], jitter: Callable[[], float]
    ) -> None:
        self._bounds = bounds
        self._clock = clock
        self._jitter = jitter
        self._allowed = min(bounds.first_contact, bounds.patience)
        self._failures = 0
        self._failing_since: float | None = None
        self._link_changed_at: float | None = None

    def reached(self) -> None:
        """The server is there, though it may not be well."""
        self._allowed = self._bounds.patience

    def progressed(self) -> None:
        """Something got through that had not before."""
        self.reached()
        self._failures = 0
        self._failing_since = None

    def link_changed(self) -> None:
        """What failed on the old link says nothing of the new one."""
        self._failures = 0
        self._link_changed_at = self._clock()

    @property
    def patience(self) -> float:
        """How long may pass without progress, in seconds."""
        return self._allowed

    @property
    def silent_for(self) -> float:
        """How long there has been no progress, counted from the first failure."""
        since = self._failing_since
        return 0.0 if since is None else self._clock() - since

    def failed(self, at_least: float | None = None) -> float | None:
        """The wait after a failure; None to give up, once the time for it is over.

        The last wait ends with that time, so that none of it is lost to a long one.

        Args:
            at_least: What the server asked for.
        """
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        bound = min(self._bound(now), self._bounds.first * 2.0 ** min(self._failures, 60))
        self._failures += 1
        wait = max(self._jitter() * bound, at_least or 0.0)
        left = self._failing_since + self._allowed - now
        return min(wait, left) if left > 0 else None

    def _bound(self, now: float) -> float:
        changed = self._link_changed_at
        if changed is None or now - changed > _EAGER:
            return self._bounds.longest
        return min(self._bounds.longest, self._bounds.reconnect)
