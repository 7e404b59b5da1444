"""Where the ring of the moment comes from: a file that is watched, or the environment."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tusd_py.errors import ConfigError
from tusd_py.telemetry import get_logger

from .keyfile import Stamp, read_keys, stamp_of
from .keys import Key, KeyRing, KeyState, read_secret

VARIABLE: Final = "TUSD_PY_KEYS"

_log = get_logger(__name__)


class KeyFile:
    """The keys of a file, which may change while the program runs.

    A call gives the ring of the moment, and looks at the file for that no more often than once in
    an interval, which takes some microseconds. A new file that cannot be used changes nothing but
    the log: the ring that was read before stays. Calls may come from several threads.

    Nothing is read before the first call.

    Args:
        path: The file, as ``tusd-py keys`` writes it.
        interval: The least time in seconds between two looks.
        clock: Gives a time in seconds that never goes back.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        interval: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = Path(path)
        self._interval = interval
        self._clock = clock
        self._looking = threading.Lock()
        self._ring: KeyRing | None = None
        self._seen: Stamp | None = None
        self._problem: str | None = None
        self._next_look = 0.0

    def __call__(self) -> KeyRing:
        """Give the ring of the moment; blocks for a look at the file if one is due.

        Raises:
            ConfigError: There was no file yet that could be used.
        """
        ring = self._ring
        if ring is None:
            with self._looking:
                return self._ring or self._first()
        if self.due and self._looking.acquire(blocking=False):
            try:
                return self._look(ring)
            finally:
                self._looking.release()
        return ring

    @property
    def due(self) -> bool:
        """Whether a call would look at the file, so that an event loop can use a thread for it."""
        return self._ring is None or self._clock() >= self._next_look

    def _first(self) -> KeyRing:
        self._next_look = self._clock() + self._interval
        self._ring, self._seen = read_keys(self._path)
        return self._ring

    def _look(self, ring: KeyRing) -> KeyRing:
        self._next_look = self._clock() + self._interval
        # What could not be used is tried again, also if it is what it was before.
        if self._problem is None and stamp_of(self._path) == self._seen:
            return ring
        try:
            self._ring, self._seen = read_keys(self._path)
        except ConfigError as error:
            self._tell(str(error))
            return ring
        self._problem = None
        _log.info("auth.keys_read", keys={k.id: str(k.state) for k in self._ring.keys.values()})
        return self._ring

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            _log.error("auth.keys_unusable", problem=problem)
        self._problem = problem


def keys_from_environment(
    environ: Mapping[str, str] = os.environ, variable: str = VARIABLE
) -> KeyRing:
    """Make a ring of a variable's ``id:secret`` pairs, with commas between them.

    The first key signs, the others verify. Secrets are base64url without padding, of at least 32
    bytes. To retire a key, leave it out.

    Raises:
        ConfigError: The variable is not set, or not of this form.
    """
    if not environ.get(variable):
        raise ConfigError([f"{variable}: It is not set."])
    keys: list[Key] = []
    problems = []
    for number, pair in enumerate(environ[variable].split(","), 1):
        try:
            keys.append(_key(pair.strip(), KeyState.VERIFYING if keys else KeyState.SIGNING))
        except (ConfigError, ValueError) as error:
            problems.append(f"{variable}: Key {number}: {error}")
    if problems:
        raise ConfigError(problems)
    return KeyRing(keys)


def _key(pair: str, state: KeyState) -> Key:
    id_, colon, secret = pair.partition(":")
    if not colon:
        raise ValueError("It is not of the form id:secret.")
    return Key(id_, read_secret(secret), state)
