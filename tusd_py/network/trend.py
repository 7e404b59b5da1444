"""Where a figure stands that is measured again and again, and where it is going."""

from typing import Final, NamedTuple

# How much a new measurement counts, for the level and for the slope.
ALPHA: Final = 0.5
BETA: Final = 0.25


class Trend(NamedTuple):
    """Holt's linear smoothing of a figure that is never below zero; a step is a measurement."""

    level: float
    """The figure, smoothed."""

    slope: float = 0.0
    """What it gains with each step, smoothed."""

    @property
    def next(self) -> float:
        """What the next measurement will be if this goes on."""
        return max(0.0, self.level + self.slope)

    def after(self, value: float) -> "Trend":
        """The trend with one measurement more."""
        level = self.next + ALPHA * (value - self.next)
        return Trend(level, self.slope + BETA * (level - self.level - self.slope))


def trend_after(trend: Trend | None, value: float | None) -> Trend | None:
    """A trend with one measurement more, which may be its first; None was not measured."""
    if value is None:
        return trend
    return Trend(value) if trend is None else trend.after(value)
