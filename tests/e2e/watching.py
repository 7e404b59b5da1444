"""Runs ``tusd-py network --watch --json`` on a host of its own and reads what it tells."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Any, Self

from tests.support.namespaces import Host

PATIENCE = 10.0


class Watch:
    """The command as a process; what it tells comes with the moment at which it was read."""

    def __init__(self, host: Host, *options: str) -> None:
        self._command = host.command(
            *(sys.executable, "-m", "tusd_py", "network", "--watch", "--json", *options)
        )
        self._told: queue.SimpleQueue[tuple[float, dict[str, Any]]] = queue.SimpleQueue()
        self.first: dict[str, Any] = {}
        self.exit_code: int | None = None
        self.complaints = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        _, self.first = self.next(20)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        self.exit_code = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self._process.stderr is not None
        self.complaints = self._process.stderr.read()
        self._process.stderr.close()

    def next(self, patience: float = PATIENCE) -> tuple[float, dict[str, Any]]:
        """What it tells next, and when it was read."""
        return self._told.get(timeout=patience)

    def until(self, event: str, **facts: object) -> tuple[float, list[dict[str, Any]]]:
        """When it told of an event with these facts, and all that it told until then."""
        told: list[dict[str, Any]] = []
        end = time.monotonic() + PATIENCE
        while True:
            at, line = self.next(max(0.0, end - time.monotonic()))
            told.append(line)
            if {"event": event, **facts}.items() <= line.items():
                return at, told

    def rest(self, seconds: float) -> list[dict[str, Any]]:
        """All that it tells in so many seconds."""
        told = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                told.append(self.next(max(0.0, end - time.monotonic()))[1])
            except queue.Empty:
                break
        return told

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._told.put((time.monotonic(), json.loads(line)))
