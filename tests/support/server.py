"""The real server in a process of its own, on a free loopback port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
REPOSITORY = Path(__file__).parents[2]

START_TIMEOUT = 20.0
STOP_TIMEOUT = 20.0
POLL_INTERVAL = 0.02
LOG_SHOWN = 20_000


class ServerDied(Exception):
    """The server ended, or never took a connection; the message ends with what it wrote."""


class ServerProcess:
    """One server process; it keeps its port and its data dir over restarts.

    What the server writes to stdout and stderr goes to one file beside the data dir.
    """

    def __init__(
        self,
        data_dir: Path,
        *options: str,
        port: int | None = None,
        files: tuple[int, int] | None = None,
        cwd: Path = REPOSITORY,
        unix_socket: Path | None = None,
    ) -> None:
        """`files`: how many files the process may have open, and to how many it may raise that."""
        self.data_dir = data_dir
        self.port = free_port() if port is None else port
        self.log_file = data_dir.with_name(f"{data_dir.name}.log")
        self._options = options
        self._files = files
        self._cwd = cwd
        self._unix_socket = unix_socket
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/files/"

    @property
    def running(self) -> bool:
        """It was started, and neither stopped nor killed."""
        return self._process is not None

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def command(self) -> list[str]:
        return [
            *(_limited(*self._files) if self._files else ()),
            *(sys.executable, "-m", "tusd_py", "serve"),
            *("--host", HOST, "--port", str(self.port)),
            *("--data-dir", str(self.data_dir)),
            *(("--unix-socket", str(self._unix_socket)) if self._unix_socket else ()),
            *self._options,
        ]

    def start(self) -> Self:
        """Start the process and return when it takes connections."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self._cwd,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_it_accepts()
        except ServerDied:
            self.kill()
            raise
        return self

    def run_to_its_end(self) -> subprocess.CompletedProcess[str]:
        """Start a server that is expected to end at once, and tell what it said."""
        return subprocess.run(
            self.command(),
            cwd=self._cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT + STOP_TIMEOUT,
            check=False,
        )

    def stop(self) -> int:
        """Ask the server to end (SIGTERM) and return its exit code."""
        return self._end(signal.SIGTERM)

    def wait(self) -> int:
        """Wait for the end of a server that was told to stop, and return its exit code."""
        return self._ended(self._running(), "the signal")

    def kill(self) -> int:
        """End the server without a chance to tidy up (SIGKILL)."""
        return self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Start again on the same port and data dir; stop the running process first."""
        if self._process is not None:
            self.stop()
        return self.start()

    def log_size(self) -> int:
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def log(self, since: int = 0) -> str:
        """What the server wrote after the first `since` bytes, cut to its last page."""
        if not self.log_file.exists():
            return ""
        with self.log_file.open("rb") as log:
            log.seek(max(since, self.log_size() - LOG_SHOWN))
            return log.read().decode(errors="replace")

    def wrote(self, text: str, since: int) -> bool:
        """Whether it wrote that after the first `since` bytes, which may be long ago."""
        with self.log_file.open("rb") as log:
            log.seek(since)
            return any(text.encode() in line for line in log)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerDied("the server is not running")
        return self._process

    def _wait_until_it_accepts(self) -> None:
        process = self._running()
        deadline = time.monotonic() + START_TIMEOUT
        while not _accepts(self._unix_socket or self.port):
            if process.poll() is not None:
                raise ServerDied(f"exit code {process.returncode} at start\n{self.log()}")
            if time.monotonic() > deadline:
                raise ServerDied(f"no connection within {START_TIMEOUT:.0f} s\n{self.log()}")
            time.sleep(POLL_INTERVAL)

    def _end(self, how: signal.Signals) -> int:
        process = self._running()
        process.send_signal(how)
        return self._ended(process, how.name)

    def _ended(self, process: subprocess.Popen[bytes], after: str) -> int:
        self._process = None
        try:
            return process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            message = f"still running {STOP_TIMEOUT:.0f} s after {after}\n{self.log()}"
            raise ServerDied(message) from None


def _limited(soft: int, hard: int) -> list[str]:
    return ["sh", "-c", f'ulimit -Sn {soft}; ulimit -Hn {hard}; exec "$@"', "sh"]


def environment() -> dict[str, str]:
    """The environment without settings of the server: a test names all that it needs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TUSD_PY_")}


def free_port() -> int:
    """A port nobody listens on.

    Linux hands out listening ports and the ports of outgoing connections from different
    halves of its range, so nobody takes this one before the server does.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _accepts(place: Path | int) -> bool:
    on_file = isinstance(place, Path)
    with socket.socket(socket.AF_UNIX if on_file else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex(str(place) if on_file else (HOST, place)) == 0
