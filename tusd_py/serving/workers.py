"""Several processes that serve one socket, and the one that looks after them."""

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from multiprocessing.connection import Connection, wait
from types import FrameType

from tusd_py.config import Settings
from tusd_py.telemetry import get_logger

from .listeners import listening

Work = Callable[[Settings, socket.socket, Callable[[str], None], int], int]

log = get_logger("tusd_py.workers")

# A worker shows this often that it lives, and is killed after so long a silence.
_BEAT = 1.0
_SILENCE = 10.0
# So long may it take until it does for the first time, on a machine that is very busy.
_BIRTH = 60.0
# One that ended at its start is not started again at once.
_PAUSE = 1.0
# What a worker may take beyond its grace to end.
_LENIENCE = 5.0
_FAILED = 1


def supervise(settings: Settings, work: Work, on_listening: Callable[[str], None]) -> int:
    """Serve with ``settings.workers`` processes until a signal comes; returns the exit code.

    A worker that ends is replaced, and so is one that shows no life for 10 seconds. The first
    signal lets all of them save what they have, the second ends them.

    Args:
        settings: Where to listen, and how many workers.
        work: What each does, importable by name: called with the settings, the listening socket,
            what to call with the base URL once it accepts connections, and its number.
        on_listening: Called with the base URL once the first worker accepts connections.

    Raises:
        OSError: The address cannot be had.
        CannotListen: The socket file cannot be had.
    """
    with listening(settings) as listener, _signals() as signals:
        return _Supervisor(settings, work, listener, signals).run(on_listening)


class _Worker:
    """One process, seen from outside."""

    def __init__(
        self, number: int, settings: Settings, work: Work, listener: socket.socket
    ) -> None:
        self.number = number
        self.life, theirs = _SPAWN.Pipe(duplex=False)
        self.process = _SPAWN.Process(
            target=_work, args=(work, settings, listener, theirs, number), daemon=False
        )
        self.url: str | None = None
        self._patience = _BIRTH
        self._seen = time.monotonic()
        self.process.start()
        theirs.close()

    @property
    def silent(self) -> bool:
        return time.monotonic() - self._seen > self._patience

    def listen(self) -> None:
        """Hear that it lives, and where it serves."""
        try:
            while self.life.poll():
                self.url = self.life.recv() or self.url
                self._seen, self._patience = time.monotonic(), _SILENCE
        except (EOFError, OSError):
            return

    def end(self, seconds: float) -> int:
        """Wait for its end, and after so many seconds make it."""
        self.process.join(max(0.0, seconds))
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        self.life.close()
        return self.process.exitcode or 0


class _Supervisor:
    def __init__(
        self, settings: Settings, work: Work, listener: socket.socket, signals: "_Signals"
    ) -> None:
        self._settings = settings
        self._work = work
        self._listener = listener
        self._signals = signals
        self._workers: list[_Worker] = []

    def run(self, on_listening: Callable[[str], None]) -> int:
        # The first alone, for it prepares the data folder, or finds that it cannot be used.
        first = self._start()
        while first.url is None and not self._signals.count:
            self._wait(0.1)
            if first.process.exitcode is not None:
                return first.process.exitcode or _FAILED
        if first.url is not None:
            on_listening(first.url)
            for _ in range(self._settings.workers - 1):
                self._start()
        while not self._signals.count:
            self._wait(_BEAT)
            self._look_after()
        return self._stop()

    def _start(self) -> _Worker:
        taken = {worker.number for worker in self._workers}
        number = next(number for number in count() if number not in taken)
        worker = _Worker(number, self._settings, self._work, self._listener)
        self._workers.append(worker)
        log.debug("worker.started", pid=worker.process.pid)
        return worker

    def _wait(self, seconds: float) -> None:
        """Wait until a signal comes, a worker ends or lives."""
        watched = [worker.process.sentinel for worker in self._workers]
        wait([self._signals.receiver, *watched, *(each.life for each in self._workers)], seconds)
        for worker in self._workers:
            worker.listen()

    def _look_after(self) -> None:
        for worker in tuple(self._workers):
            if worker.process.exitcode is None and not worker.silent:
                continue
            if worker.process.exitcode is None:
                log.error("worker.silent", pid=worker.process.pid)
            code = worker.end(0)
            log.error("worker.ended", pid=worker.process.pid, exit_code=code)
            self._workers.remove(worker)
            if worker.url is None:
                time.sleep(_PAUSE)
            self._start()

    def _stop(self) -> int:
        """Let all workers end within their grace, or at once after another signal."""
        told = 0
        deadline = time.monotonic() + self._settings.shutdown_grace + _LENIENCE
        while self._alive() and time.monotonic() < deadline and told <= 1:
            if told < self._signals.count:
                told += 1
                for worker in self._alive():
                    worker.process.terminate()
            self._wait(_BEAT)
        if told > 1:
            deadline = time.monotonic() + _LENIENCE
        return max(worker.end(deadline - time.monotonic()) for worker in self._workers)

    def _alive(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.process.exitcode is None]


class _Signals:
    """Counts the signals that ask for an end, and wakes whoever waits for ``receiver``."""

    def __init__(self, receiver: socket.socket, sender: socket.socket) -> None:
        self.count = 0
        self.receiver = receiver
        self._sender = sender

    def take(self, _: int, __: FrameType | None) -> None:
        self.count += 1
        self._sender.send(b"!")


@contextmanager
def _signals() -> Iterator[_Signals]:
    receiver, sender = socket.socketpair()
    with receiver, sender:
        signals = _Signals(receiver, sender)
        before = {number: signal.signal(number, signals.take) for number in _ENDING}
        try:
            yield signals
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _work(
    work: Work, settings: Settings, listener: socket.socket, life: Connection, number: int
) -> None:
    """Be a worker."""
    # What the terminal sends is for the process that looks after us.
    os.setsid()
    url: list[str] = []
    threading.Thread(target=_live, args=(life, url), daemon=True).start()
    raise SystemExit(work(settings, listener, url.append, number))


def _live(life: Connection, url: list[str]) -> None:
    """Show that this process lives, and end it if nobody looks any more."""
    try:
        while True:
            life.send(url[0] if url else None)
            time.sleep(_BEAT if url else 0.05)
    except OSError:
        os.kill(os.getpid(), signal.SIGTERM)


_SPAWN = multiprocessing.get_context("spawn")
_ENDING = (signal.SIGTERM, signal.SIGINT)
