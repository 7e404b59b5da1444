"""Keys in a TOML file that only its owner can read. Everything here blocks."""

import os
import re
import shlex
import stat
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tusd_py.errors import ConfigError
from tusd_py.folders import sync_folder
from tusd_py.quantities import shown

from .encoding import encode
from .keys import Key, KeyRing, KeyState, read_secret

Stamp = tuple[int, ...]
"""Tells one state of a file from another."""

_MOST_BYTES: Final = 1_000_000
_MEMBERS: Final = {"id", "secret", "state", "created"}
_NEEDED: Final = _MEMBERS - {"created"}
_PLACE = re.compile(r" \(at [a-z0-9, ]+\)$")
_HEAD = """\
# The keys of tusd_py. Who reads this file can sign tokens: keep it from others.
# `tusd-py keys` writes it, and keeps no other comments.
"""


def read_keys(path: Path) -> tuple[KeyRing, Stamp]:
    """Read a file of keys, and which state of the file that was.

    Raises:
        ConfigError: It cannot be read, others than its owner may read or change it, or it is not
            of the documented form.
    """
    found: tuple[KeyRing, Stamp] | str
    try:
        text, stamp = _read(path)
        found = KeyRing(_keys(_document(text))), stamp
    except ConfigError as error:
        found = " ".join(error.problems)
    except OSError as error:
        found = _why_unreadable(error)
    # Raised out here, so that nothing the file holds hangs on to the error.
    if isinstance(found, str):
        raise ConfigError([f"{path}: {found}"])
    return found


def stamp_of(path: Path) -> Stamp | None:
    """Tell which state the file is in without reading it; None if that cannot be told."""
    try:
        return _stamp(path.stat())
    except OSError:
        return None


def add_key(path: Path, key: Key) -> KeyRing:
    """Put a new key into the file and let it sign; the one that did so verifies from then on.

    The file is made if need be. Of several processes that do this one follows the other.

    Raises:
        ConfigError: The file cannot be used, or has a key with this id.
        OSError: The file cannot be written.
    """

    def add(keys: Mapping[str, Key]) -> list[Key]:
        kept = [
            replace(old, state=KeyState.VERIFYING) if old.state is KeyState.SIGNING else old
            for old in keys.values()
        ]
        return [*kept, replace(key, state=KeyState.SIGNING)]

    return _change(path, add, create=True)


def retire_key(path: Path, key_id: str) -> KeyRing:
    """Let a key's signatures be refused from now on.

    Raises:
        ConfigError: The file cannot be used, it has no such key, or the key is the one that signs.
        OSError: The file cannot be written.
    """

    def retire(keys: Mapping[str, Key]) -> list[Key]:
        if key_id not in keys:
            raise ConfigError([f"{path}: There is no key {shown(key_id)}."])
        if keys[key_id].state is KeyState.SIGNING:
            raise ConfigError(
                [f"{path}: The key {shown(key_id)} signs. Make a new one first: tusd-py keys new"]
            )
        retired = replace(keys[key_id], state=KeyState.RETIRED)
        return list({**keys, key_id: retired}.values())

    return _change(path, retire, create=False)


def _change(
    path: Path, change: Callable[[Mapping[str, Key]], list[Key]], *, create: bool
) -> KeyRing:
    # A link to the file stays one.
    target = path.resolve()
    with _alone(target.parent):
        missing = create and not target.exists()
        keys: Mapping[str, Key] = {} if missing else read_keys(path)[0].keys
        ring = KeyRing(change(keys))
        _write(target, ring)
    return ring


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from changing files of keys in this folder."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    # The folder itself, for the file is replaced, and a lock file would stay behind.
    fd = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _write(target: Path, ring: KeyRing) -> None:
    fd, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(_format(ring))
            file.flush()
            _keep_owner(fd, target)
            os.fsync(fd)
        Path(unfinished).replace(target)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    sync_folder(str(target.parent))


def _keep_owner(fd: int, target: Path) -> None:
    # An administrator must not lock out the server, whose file it is.
    if sys.platform != "win32" and target.exists():
        before, now = target.stat(), os.fstat(fd)
        if (before.st_uid, before.st_gid) != (now.st_uid, now.st_gid):
            os.fchown(fd, before.st_uid, before.st_gid)


def _format(ring: KeyRing) -> str:
    return _HEAD + "".join(map(_format_key, ring.keys.values()))


def _format_key(key: Key) -> str:
    lines = ["", "[[keys]]", f'id = "{key.id}"', f'state = "{key.state}"']
    if key.created is not None:
        lines.append(f"created = {key.created.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    return "\n".join([*lines, f'secret = "{encode(key.secret)}"', ""])


def _read(path: Path) -> tuple[str, Stamp]:
    # Opening a pipe would wait for its other end.
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        facts = os.fstat(fd)
        _check_facts(path, facts)
        raw = os.read(fd, _MOST_BYTES)
    finally:
        os.close(fd)
    try:
        return raw.decode(), _stamp(facts)
    except UnicodeDecodeError:
        pass
    raise ConfigError(["The file is not text in UTF-8."])


def _check_facts(path: Path, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > _MOST_BYTES:
        raise ConfigError(["This is no file of keys."])
    if os.name != "nt" and stat.S_IMODE(facts.st_mode) & 0o077:
        risk = "Others than its owner may read or change this file, and sign with its keys."
        raise ConfigError([f"{risk} Run: chmod 600 {shlex.quote(str(path))}"])


def _stamp(facts: os.stat_result) -> Stamp:
    # The change time, too: who mends the mode alone changes neither content nor its time.
    return (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


def _document(text: str) -> list[object]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Only the place: what stands there may be a secret.
        place = _PLACE.search(str(error))
        problem = f"The file is not TOML{place[0] if place else ''}."
    else:
        keys = document.get("keys")
        if document.keys() <= {"keys"} and isinstance(keys, list) and keys:
            return keys
        problem = "The file has tables [[keys]], at least one, and nothing else."
    raise ConfigError([problem])


def _keys(tables: list[object]) -> list[Key]:
    keys, problems = [], []
    for number, table in enumerate(tables, 1):
        try:
            keys.append(_key(table))
        except (ConfigError, ValueError) as error:
            problems.append(f"Key {number}: {error}")
    if problems:
        raise ConfigError(problems)
    return keys


def _key(table: object) -> Key:
    if not isinstance(table, dict) or not _NEEDED <= table.keys() <= _MEMBERS:
        raise ValueError("It needs id, secret and state, may have created, and nothing else.")
    id_, secret, state = (table[name] for name in ("id", "secret", "state"))
    if not isinstance(id_, str) or not isinstance(secret, str):
        raise ValueError("Its id and its secret are text in quotes.")  # noqa: TRY004 - as above
    if state not in [*KeyState]:
        raise ValueError(f"Its state is one of {', '.join(KeyState)}.")
    return Key(id_, read_secret(secret), KeyState(state), _created(table.get("created")))


def _created(value: object) -> datetime | None:
    if value is None or (isinstance(value, datetime) and value.tzinfo is not None):
        return value
    raise ValueError("Its created is a time with a zone, such as 2026-01-31T12:00:00Z.")


def _why_unreadable(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "There is no such file. Make it: tusd-py keys new"
    return f"The file cannot be read: {error.strerror}."
