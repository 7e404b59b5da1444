"""Showing how far an upload is: a bar, lines, or JSON."""

import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import click

from tusd_py.quantities import format_duration

from .output import say

if TYPE_CHECKING:
    from tusd_py.client import Progress, Uploaded, UploadFailed

# Between two lines of one upload where there is no bar, in seconds.
_INTERVAL = 5.0
_STEP = 1000


class Reporter(Protocol):
    """Tells whoever is at the command line: URLs go to stdout, and the rest to stderr."""

    def begin(self, name: str) -> None:
        """A file's turn has come."""
        ...

    def progress(self, progress: "Progress") -> None:
        """It has got so far."""
        ...

    def finished(self, uploaded: "Uploaded") -> None:
        """It is there."""
        ...

    def failed(self, error: "UploadFailed", why: str) -> None:
        """It is not, for a reason in whole sentences."""
        ...

    def close(self) -> None:
        """Nothing follows."""
        ...


def reporter(*, as_json: bool) -> Reporter:
    """What fits where the output goes: a bar needs a terminal, and rich."""
    if as_json:
        return Events()
    if sys.stderr.isatty():
        try:
            from .bar import Bar
        except ImportError:
            return Lines(time.monotonic)
        return Bar()
    return Lines(time.monotonic)


class Events:
    """A JSON object a line."""

    def __init__(self) -> None:
        self._name = ""

    def begin(self, name: str) -> None:
        self._name = name

    def progress(self, progress: "Progress") -> None:
        if progress.phase == "finished":
            # The line with the URL says so.
            return
        self._say(
            str(progress.phase),
            sent=progress.sent,
            total=progress.total,
            rate=progress.rate,
            time_left=progress.time_left,
            why=progress.why,
        )

    def finished(self, uploaded: "Uploaded") -> None:
        self._say(
            "uploaded",
            size=uploaded.size,
            resumed_at=uploaded.resumed_at,
            seconds=round(uploaded.seconds, 3),
            url=uploaded.url,
        )

    def failed(self, error: "UploadFailed", why: str) -> None:
        self._say("failed", code=error.code, why=why, resumable=error.resumable)

    def close(self) -> None:
        """Every line is out already."""

    def _say(self, event: str, **facts: Any) -> None:  # noqa: ANN401 - whatever JSON can say
        known = {name: fact for name, fact in facts.items() if fact is not None}
        say(json.dumps({"event": event, "file": self._name, **known}))


class Lines:
    """A line now and then, for logs.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._name = ""
        self._said_at: float | None = None
        self._why: str | None = None

    def begin(self, name: str) -> None:
        self._name, self._said_at, self._why = name, self._clock(), None

    def progress(self, progress: "Progress") -> None:
        now = self._clock()
        due = self._said_at is None or now - self._said_at >= _INTERVAL
        if due or progress.why not in (None, self._why):
            self._said_at, self._why = now, progress.why
            click.echo(f"{self._name}: {described(progress)}", err=True)

    def finished(self, uploaded: "Uploaded") -> None:
        say(uploaded.url)

    def failed(self, error: "UploadFailed", why: str) -> None:  # noqa: ARG002 - the port's
        click.echo(f"{self._name}: {why}", err=True)

    def close(self) -> None:
        """Every line is out already."""


def described(progress: "Progress") -> str:
    """One line about an upload."""
    said = f"{short_size(progress.sent)} of {short_size(progress.total)}"
    if progress.why is not None:
        return f"{said}, paused: {progress.why}"
    if progress.rate is None:
        return f"{said}, {progress.phase}"
    left = "" if progress.time_left is None else f", {short_time(progress.time_left)} left"
    return f"{said}, {short_size(int(progress.rate))}/s{left}"


def short_size(size: int) -> str:
    """A size with three digits or so."""
    if size < _STEP:
        return f"{size} B"
    scaled, unit = size / _STEP, "kB"
    for larger in ("MB", "GB", "TB", "PB"):
        if scaled >= _STEP:
            scaled, unit = scaled / _STEP, larger
    return f"{scaled:.1f} {unit}"


def short_time(seconds: float) -> str:
    """A duration in whole seconds."""
    return format_duration(max(0, round(seconds)))
