"""What is remembered of unfinished uploads, so that another process can go on with them.

A file for each of them, in a folder that only its owner can read: a URL may be all that is needed
to write to an upload. Everything here blocks.
"""

import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from tusd_py.quantities import days

from .errors import StateUnusable
from .source import Fingerprint

_VERSION: Final = 1
_SUFFIX: Final = ".json"
# For uploads of servers that do not say when they expire.
_KEPT: Final = days(30)


@dataclass(frozen=True, slots=True)
class SavedPart:
    """A part of a file and its upload; ``url`` is None before there is one."""

    start: int
    length: int
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An unfinished upload.

    Attributes:
        endpoint: The URL of creation, without a grant.
        fingerprint: Of the file.
        sha256: Of its content, if somebody had to look at it; in hexadecimal.
        parts: One, or several that are to be concatenated; none before the first creation.
        expires: When it is of no use any more, in Unix time.
    """

    endpoint: str
    fingerprint: Fingerprint
    sha256: str | None
    parts: tuple[SavedPart, ...]
    expires: float


class Claim:
    """An entry that belongs to this process until it is released."""

    def __init__(self, path: Path, lock: int | None, entry: Entry) -> None:
        self.entry = entry
        self._path = path
        self._lock = lock

    def save(self, parts: tuple[SavedPart, ...], expires: float) -> None:
        """Remember what was created.

        Raises:
            StateUnusable: The system refused.
        """
        self.entry = replace(self.entry, parts=parts, expires=expires)
        with _explained(self._path.parent):
            _write(self._path, self.entry)

    def forget(self) -> None:
        """The upload is finished, or of no use any more."""
        with suppress(OSError):
            self._path.unlink()

    def release(self) -> None:
        """Let others have it."""
        if self._lock is None:
            return
        if not self._path.exists():
            with suppress(OSError):
                _lock_path(self._path).unlink()
        os.close(self._lock)
        self._lock = None


class StateFolder:
    """The entries of a user.

    Args:
        folder: Made when it is needed.
        clock: Unix time in seconds.
    """

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self.folder = folder
        self._clock = clock

    def claim(
        self,
        endpoint: str,
        fingerprint: Fingerprint,
        digest: Callable[[], str],
        *,
        by_content: bool = False,
    ) -> Claim:
        """Find what is remembered of a file's upload, or begin to remember one.

        The file's content is looked at only if more than one entry fits what can be told
        without, one that another process is busy with included, or if it is asked for.

        Raises:
            StateUnusable: The system refused.
        """
        with _explained(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fitting = [
                (path, entry)
                for path, entry in self._entries()
                if (entry.endpoint, entry.fingerprint) == (endpoint, fingerprint)
            ]
            free = [claim for path, _ in fitting if (claim := _claim(path)) is not None]
            alone = len(fitting) == len(free) == 1
            sha256 = digest() if by_content or (fitting and not alone) else None
            found = _chosen(free, sha256, by_content=by_content)
            for claim in free:
                if claim is not found:
                    claim.release()
            return found or self._new(endpoint, fingerprint, sha256)

    def _new(self, endpoint: str, fingerprint: Fingerprint, sha256: str | None) -> Claim:
        path = self.folder / f"{secrets.token_hex(8)}{_SUFFIX}"
        entry = Entry(
            endpoint=endpoint,
            fingerprint=fingerprint,
            sha256=sha256,
            parts=(),
            expires=self._clock() + _KEPT,
        )
        return Claim(path, _lock(path), entry)

    def kept_until(self, expires: float | None) -> float:
        """When to forget an upload that goes at this time, or that says nothing of it."""
        return expires if expires is not None else self._clock() + _KEPT

    def _entries(self) -> Iterator[tuple[Path, Entry]]:
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            entry = _read(path)
            if entry is not None and entry.expires > self._clock():
                yield path, entry
            else:
                self._tidy(path)

    def _tidy(self, path: Path) -> None:
        """Remove an entry that has expired or is none."""
        lock = _lock(path)
        if lock is not None:
            claim = Claim(path, lock, _NOTHING)
            claim.forget()
            claim.release()


def default_folder() -> Path:
    """Where a user's programs keep what is not worth a backup."""
    base = os.environ.get("XDG_STATE_HOME", "")
    # The specification says that a relative path is to be ignored.
    state = Path(base) if base and Path(base).is_absolute() else Path.home() / ".local" / "state"
    return state / "tusd-py" / "uploads"


_NOTHING: Final = Entry(
    endpoint="", fingerprint=Fingerprint("", 0, 0), sha256=None, parts=(), expires=0
)


def _chosen(free: list[Claim], sha256: str | None, *, by_content: bool) -> Claim | None:
    if sha256 is None:
        return free[0] if free else None
    same = [claim for claim in free if claim.entry.sha256 == sha256]
    unknown = [claim for claim in free if claim.entry.sha256 is None]
    if not same and len(unknown) == 1 and not by_content:
        # The others are of other files; this one fits as well as if it were alone.
        return unknown[0]
    return same[0] if same else None


def _claim(path: Path) -> Claim | None:
    lock = _lock(path)
    # It may have ended since the folder was read.
    entry = _read(path) if lock is not None else None
    if entry is not None:
        return Claim(path, lock, entry)
    if lock is not None:
        os.close(lock)
    return None


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _lock(path: Path) -> int | None:
    """Lock an entry; None if somebody has it. Kernel locks vanish with their process."""
    fd = os.open(_lock_path(path), os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        import fcntl
    except ImportError:
        return fd
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _write(path: Path, entry: Entry) -> None:
    """Replace an entry as a whole, readable by its owner alone."""
    document = json.dumps({"version": _VERSION, **asdict(entry)}, indent=1)
    # mkstemp makes files with mode 0600.
    fd, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.")
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(document)
            file.flush()
            os.fsync(fd)
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def _read(path: Path) -> Entry | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return _entry(document)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _entry(document: dict[str, Any]) -> Entry:
    if document.pop("version") != _VERSION:
        raise ValueError("Another version wrote this.")
    document["fingerprint"] = Fingerprint(**document["fingerprint"])
    document["parts"] = tuple(SavedPart(**part) for part in document["parts"])
    return Entry(**document)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateUnusable(
            f"{folder}, which remembers unfinished uploads, cannot be used: {error.strerror}."
        ) from error
