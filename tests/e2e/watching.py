"""Programs on hosts of their own that tell what happens, a line of JSON for each event."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from tests.support.namespaces import Host

PATIENCE = 10.0

Event = dict[str, Any]


class Telling:
    """A module as a process; what it tells comes with the moment at which it was read."""

    def __init__(
        self,
        host: Host,
        *arguments: str,
        module: str = "tusd_py",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = host.command(sys.executable, "-m", module, *arguments)
        self._environment = {**os.environ, **(environment or {})}
        self._told: queue.SimpleQueue[tuple[float, Event] | None] = queue.SimpleQueue()
        self.exit_code: int | None = None
        self.complaints = ""
        self.told: list[tuple[float, Event]] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.exit_code is None:
            self._process.send_signal(signal.SIGINT)
            self.ended(PATIENCE)

    def ended(self, patience: float) -> int:
        """Wait for its end; gives the exit code."""
        self.exit_code = self._process.wait(patience)
        self._reader.join(PATIENCE)
        assert self._process.stderr is not None
        self.complaints = self._process.stderr.read()
        self._process.stderr.close()
        return self.exit_code

    def next(self, patience: float = PATIENCE) -> tuple[float, Event]:
        """What it tells next, and when it was read."""
        told = self._told.get(timeout=patience)
        assert told is not None, "It tells no more."
        return told

    def until(self, event: str, **facts: object) -> tuple[float, list[Event]]:
        """When it told of an event with these facts, and all that it told until then."""
        return self.until_so(lambda line: {"event": event, **facts}.items() <= line.items())

    def until_so(
        self, wanted: Callable[[Event], bool], patience: float = PATIENCE
    ) -> tuple[float, list[Event]]:
        """The same for an event of which something is so."""
        told: list[Event] = []
        end = time.monotonic() + patience
        while True:
            at, line = self.next(max(0.0, end - time.monotonic()))
            told.append(line)
            if wanted(line):
                return at, told

    def rest(self, seconds: float) -> list[Event]:
        """All that it tells in so many seconds, or until its end if that comes sooner."""
        told = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                line = self._told.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            if line is None:
                break
            told.append(line[1])
        return told

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.told.append((time.monotonic(), json.loads(line)))
                self._told.put(self.told[-1])
        self._told.put(None)


class Watch(Telling):
    """``tusd-py network --watch --json``; its first line is the look at the beginning."""

    def __init__(self, host: Host, *options: str) -> None:
        super().__init__(host, "network", "--watch", "--json", *options)
        self.first: Event = {}

    def __enter__(self) -> Self:
        super().__enter__()
        _, self.first = self.next(20)
        return self
