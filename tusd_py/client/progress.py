"""How far an upload is, how fast it goes, and why it does not."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Over how many seconds the rate is taken, and how often somebody is told.
_WINDOW: Final = 5.0
_INTERVAL: Final = 0.1
# A rate over less time than this says nothing.
_LEAST_SPAN: Final = 0.3


class Phase(StrEnum):
    """What an upload is doing."""

    COMPARING = "comparing"
    """The file's content is compared with what unfinished uploads remember."""
    UPLOADING = "uploading"
    PAUSED = "paused"
    """Nothing moves until the next attempt; ``Progress.why`` says why."""
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One look at an upload.

    Attributes:
        phase: What it is doing.
        sent: Bytes that have left this machine, or that the server had before.
        total: Length of the file, in bytes.
        rate: Bytes a second of late; None if that cannot be told yet.
        time_left: Seconds to the end at this rate; None if that cannot be told.
        why: Why it is paused; None if it is not.
    """

    phase: Phase
    sent: int
    total: int
    rate: float | None = None
    time_left: float | None = None
    why: str | None = None


Tell = Callable[[Progress], None]


class Meter:
    """Adds up what the parts of one upload have done, and tells of it now and then.

    Args:
        total: Length of the file, in bytes.
        parts: How many there are.
        tell: Called from the event loop; must not block.
        clock: Seconds, of any clock that only goes forward.
    """

    def __init__(self, total: int, parts: int, tell: Tell, clock: Callable[[], float]) -> None:
        self._total = total
        self._tell = tell
        self._clock = clock
        self._sent = [0] * parts
        self._paused: dict[int, str] = {}
        self._samples: deque[tuple[float, int]] = deque()
        self._told_at: float | None = None

    @property
    def sent(self) -> int:
        """Bytes of all parts."""
        return sum(self._sent)

    def stands_at(self, part: int, offset: int) -> None:
        """The server has said how much of a part it has: not a matter of speed."""
        resumed = self._paused.pop(part, None) is not None
        moved = offset - self._sent[part]
        self._sent[part] = offset
        # What was known before, or got lost, is no part of the rate.
        self._samples = deque((time, sent + moved) for time, sent in self._samples)
        self._look(force=resumed)

    def delivered(self, part: int, offset: int) -> None:
        """Bytes of a part have left this machine, up to this offset."""
        resumed = self._paused.pop(part, None) is not None
        self._sent[part] = offset
        self._look(force=resumed)

    def paused(self, part: int, why: str) -> None:
        """A part waits for its next attempt."""
        self._paused[part] = why
        self._look(force=True)

    def _look(self, *, force: bool) -> None:
        now = self._clock()
        self._samples.append((now, self.sent))
        while now - self._samples[0][0] > _WINDOW:
            self._samples.popleft()
        if force or self._told_at is None or now - self._told_at >= _INTERVAL:
            self._told_at = now
            self._tell(self._progress())

    def _progress(self) -> Progress:
        sent = self.sent
        if len(self._paused) == len(self._sent):
            why = next(reversed(self._paused.values()))
            return Progress(phase=Phase.PAUSED, sent=sent, total=self._total, why=why)
        rate = self._rate()
        left = (self._total - sent) / rate if rate else None
        return Progress(
            phase=Phase.UPLOADING, sent=sent, total=self._total, rate=rate, time_left=left
        )

    def _rate(self) -> float | None:
        (first, before), (last, sent) = self._samples[0], self._samples[-1]
        if last - first < _LEAST_SPAN:
            return None
        return max(0.0, (sent - before) / (last - first))
