"""Whether a link is good enough, with a memory, so that the verdict does not tremble."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tusd_py.quantities import format_latency, format_share

from .quality import Quality

# A link that was bad is good again only below this share of the limits.
RECOVERED: Final = 0.8


class Reason(StrEnum):
    """Why the active interface became another one."""

    FIRST = "first"
    """There was none."""

    LOST = "lost"
    """It has no link or no address any more."""

    LATENCY = "latency"
    """Its round trips take too long."""

    LOSS = "loss"
    """It loses too much."""

    RETURN = "return"
    """One that is preferred has been good for long enough."""

    MANUAL = "manual"
    """Somebody chose it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Beyond these a link is bad."""

    latency: float = 0.5
    """Seconds of a round trip."""

    loss: float = 0.05
    """The share of what is sent that gets lost."""


class Health:
    """The verdict on one link, and since when it has been good."""

    def __init__(self) -> None:
        self.bad: Reason | None = None
        """``LATENCY`` or ``LOSS``; None for one that is good, or of which nothing is known."""

        self.why = ""
        """The figures in a few words, while it is bad."""

        self._good_since: float | None = None

    def judge(self, quality: Quality, limits: Limits, now: float, *, usable: bool) -> None:
        """Look at it again."""
        self.bad, self.why = self._verdict(quality, limits)
        if self.bad is not None or not usable:
            self._good_since = None
        elif self._good_since is None:
            self._good_since = now

    def good_for(self, now: float) -> float | None:
        """For how many seconds it has been usable and good; None while it is not."""
        return None if self._good_since is None else now - self._good_since

    def _verdict(self, quality: Quality, limits: Limits) -> tuple[Reason | None, str]:
        share = 1.0 if self.bad is None else RECOVERED
        if quality.loss is not None and quality.loss > limits.loss * share:
            figures = format_share(quality.loss), format_share(limits.loss)
            return Reason.LOSS, "{} lost, {} allowed".format(*figures)
        if quality.latency is not None and quality.latency > limits.latency * share:
            figures = format_latency(quality.latency), format_latency(limits.latency)
            return Reason.LATENCY, "{} of latency, {} allowed".format(*figures)
        return None, ""
