"""Which of several links to use: a decision that does no I/O and knows no clock."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from .health import Health, Limits, Reason
from .kinds import InterfaceKind
from .profiles import PROFILES
from .quality import UNKNOWN, Quality

# So much better a score has to be to leave one bad link for another.
MARGIN: Final = 0.2
_KEPT: Final = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """An interface as the selection sees it."""

    name: str
    kind: InterfaceKind
    usable: bool
    quality: Quality = UNKNOWN
    restless: bool = False
    """It changed a moment ago; it is not chosen while another one will do."""


@dataclass(frozen=True, slots=True)
class Switch:
    """The active interface became another one."""

    at: float
    before: str | None
    after: str | None
    """None if no interface can be used."""

    reason: Reason

    detail: str
    """The same in a sentence."""


@dataclass(frozen=True, slots=True)
class _Move:
    to: str | None
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How to choose. Times are in seconds."""

    priority: tuple[str, ...] = ()
    """Names of interfaces, the best first. Others come after them, by their kind."""

    automatic: bool = True
    """Choose anew when links change; otherwise only the first choice is made."""

    limits: Limits = field(default_factory=Limits)
    """Beyond which a link is bad."""

    dwell: float = 10.0
    """The least time between two switches, unless the active one is lost."""

    return_after: float = 30.0
    """How long a preferred link has to be good before it is returned to."""


class Selector:
    """Keeps the choice, and why it was made.

    ``choose`` is called with all candidates whenever something about them may have changed, and
    now and then otherwise, for some decisions wait.
    """

    def __init__(self, rules: Rules) -> None:
        self.active: str | None = None
        self.override: str | None = None
        self._rules = rules
        self._history: deque[Switch] = deque(maxlen=_KEPT)
        self._health: dict[str, Health] = {}

    @property
    def history(self) -> tuple[Switch, ...]:
        """The latest switches, in their order."""
        return tuple(self._history)

    def choose(self, candidates: Iterable[Candidate], now: float) -> Switch | None:
        """Decide again, at ``now`` of a clock that never goes back; None changes nothing."""
        allowed = {each.name: each for each in candidates if self._allowed(each)}
        self._judge(allowed, now)
        move = self._decide(allowed, now)
        if move is None or move.to == self.active:
            return None
        switch = Switch(now, self.active, move.to, move.reason, move.detail)
        self.active = move.to
        self._history.append(switch)
        return switch

    def _allowed(self, candidate: Candidate) -> bool:
        if candidate.kind is InterfaceKind.LOOPBACK:
            return False
        named = candidate.name in (*self._rules.priority, self.override)
        return named or candidate.kind is not InterfaceKind.VIRTUAL

    def _judge(self, candidates: Mapping[str, Candidate], now: float) -> None:
        self._health = {name: self._health.get(name, Health()) for name in candidates}
        for name, each in candidates.items():
            self._health[name].judge(each.quality, self._rules.limits, now, usable=each.usable)

    def _decide(self, candidates: Mapping[str, Candidate], now: float) -> _Move | None:
        usable = [each for each in candidates.values() if each.usable]
        chosen = candidates.get(self.override) if self.override is not None else None
        if chosen is not None and chosen.usable:
            return _Move(chosen.name, Reason.MANUAL, f"{chosen.name} was chosen by hand")
        if self.active is None:
            return _Move(self._best(usable), Reason.FIRST, "no interface was in use")
        if not self._rules.automatic:
            return None
        active = candidates.get(self.active)
        if active is None or not active.usable:
            detail = f"{self.active} has no link or no address any more"
            return _Move(self._best(usable), Reason.LOST, detail)
        if self._history and now - self._history[-1].at < self._rules.dwell:
            return None
        calm = [each for each in usable if each.name != active.name and not each.restless]
        return self._escape(active, calm) or self._return(active, calm, now)

    def _escape(self, active: Candidate, others: list[Candidate]) -> _Move | None:
        """Leave a link that is bad, if another one is better."""
        health = self._health[active.name]
        if health.bad is None:
            return None
        to = self._best(each for each in others if self._better(each, active))
        return _Move(to, health.bad, f"{active.name}: {health.why}") if to is not None else None

    def _return(self, active: Candidate, others: list[Candidate], now: float) -> _Move | None:
        """Go to a link that is preferred, if it has been good for long enough."""
        to = self._best(
            each
            for each in others
            if self._place(each) < self._place(active) and self._is_proven(each, now)
        )
        if to is None:
            return None
        return _Move(to, Reason.RETURN, f"{to} has been good for {self._rules.return_after:g} s")

    def _is_proven(self, candidate: Candidate, now: float) -> bool:
        good = self._health[candidate.name].good_for(now)
        return good is not None and good >= self._rules.return_after

    def _best(self, candidates: Iterable[Candidate]) -> str | None:
        best = min(candidates, key=self._rank, default=None)
        return best.name if best is not None else None

    def _better(self, other: Candidate, active: Candidate) -> bool:
        if self._health[other.name].bad is None:
            return True
        here, there = active.quality.score, other.quality.score
        return here is not None and there is not None and there >= here + MARGIN

    def _rank(self, candidate: Candidate) -> tuple[bool, bool, int, int, str]:
        bad = self._health[candidate.name].bad is not None
        return candidate.restless, bad, *self._place(candidate)

    def _place(self, candidate: Candidate) -> tuple[int, int, str]:
        priority = self._rules.priority
        listed = candidate.name in priority
        place = priority.index(candidate.name) if listed else len(priority)
        return place, PROFILES[candidate.kind].priority, candidate.name
