"""The ring of the moment: a file is watched without being read over and over."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from tests.support.clock import Clock
from tests.unit.auth.samples import OLD_SECRET, SECRET, SIGNING, VERIFYING
from tusd_py.auth import KeyFile, keys_from_environment, sources
from tusd_py.auth.encoding import encode
from tusd_py.auth.keyfile import Stamp, add_key, read_keys, retire_key, stamp_of
from tusd_py.auth.keys import KeyRing
from tusd_py.errors import ConfigError


@pytest.fixture
def clock() -> Clock:
    return Clock(100.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys.toml"
    add_key(path, SIGNING)
    return path


@pytest.fixture
def keys(path: Path, clock: Clock) -> KeyFile:
    return KeyFile(path, clock=clock)


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    structlog.configure()
    with capture_logs() as lines:
        yield lines
    structlog.reset_defaults()


def test_nothing_is_read_before_the_first_call(tmp_path: Path) -> None:
    path = tmp_path / "later.toml"
    keys = KeyFile(str(path))
    add_key(path, SIGNING)

    assert "new" == keys().signing


def test_without_a_file_there_is_no_ring(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.toml")
    for _ in range(2):
        with pytest.raises(ConfigError, match="There is no such file"):
            keys()

    add_key(tmp_path / "keys.toml", SIGNING)
    assert "new" == keys().signing


def test_a_new_key_is_used_within_a_second(
    keys: KeyFile, path: Path, clock: Clock, logged: list[EventDict]
) -> None:
    assert "new" == keys().signing
    add_key(path, VERIFYING)
    clock.now += 1

    assert "old" == keys().signing
    assert [("auth.keys_read", {"new": "verifying", "old": "signing"})] == [
        (line["event"], line["keys"]) for line in logged
    ]


def test_a_retired_key_is_refused_within_a_second(keys: KeyFile, path: Path, clock: Clock) -> None:
    add_key(path, VERIFYING)
    assert "verifying" == keys().keys["new"].state
    retire_key(path, "new")
    clock.now += 1

    assert "retired" == keys().keys["new"].state


def test_the_file_is_looked_at_once_a_second_and_read_only_when_it_changed(
    keys: KeyFile, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    def look(path: Path) -> Stamp | None:
        looks.append("look")
        return stamp_of(path)

    def read(path: Path) -> tuple[KeyRing, Stamp]:
        looks.append("read")
        return read_keys(path)

    monkeypatch.setattr(sources, "stamp_of", look)
    monkeypatch.setattr(sources, "read_keys", read)
    keys()
    for _ in range(100):
        clock.now += 0.0625
        keys()
    assert ["read", *["look"] * 6] == looks

    add_key(path, VERIFYING)
    clock.now += 1
    keys()
    assert ["look", "read"] == looks[7:]


def test_it_says_when_a_look_is_due(keys: KeyFile, clock: Clock) -> None:
    due = [keys.due]
    keys()
    due.append(keys.due)
    clock.now += 1
    due.append(keys.due)

    assert [True, False, True] == due


@pytest.mark.parametrize("what", ["broken", "missing", "open to others"])
def test_a_file_that_cannot_be_used_changes_nothing_and_is_told_once(
    what: str, keys: KeyFile, path: Path, clock: Clock, logged: list[EventDict]
) -> None:
    keys()
    if what == "broken":
        path.write_text(f'secret = "{encode(SECRET)}"')
    elif what == "missing":
        path.rename(path.with_suffix(".away"))
    else:
        path.chmod(0o644)
    for _ in range(3):
        clock.now += 1
        assert "new" == keys().signing

    assert ["auth.keys_unusable"] == [line["event"] for line in logged]
    assert encode(SECRET) not in repr(logged)


def test_a_file_that_is_mended_is_used(
    keys: KeyFile, path: Path, clock: Clock, logged: list[EventDict]
) -> None:
    keys()
    add_key(path, VERIFYING)
    path.chmod(0o644)
    clock.now += 1
    assert "new" == keys().signing

    path.chmod(0o600)
    clock.now += 1
    assert "old" == keys().signing
    assert ["auth.keys_unusable", "auth.keys_read"] == [line["event"] for line in logged]


def test_a_file_that_is_back_is_told_and_missed_again(
    keys: KeyFile, path: Path, clock: Clock, logged: list[EventDict]
) -> None:
    keys()
    away = path.parent.with_name("away")
    for source, target in [(path.parent, away), (away, path.parent)] * 2:
        source.rename(target)
        clock.now += 1
        assert "new" == keys().signing

    assert ["auth.keys_unusable", "auth.keys_read"] * 2 == [line["event"] for line in logged]


def test_a_file_of_the_same_size_and_time_is_told_from_the_one_before(
    keys: KeyFile, path: Path, clock: Clock
) -> None:
    keys()
    times = path.stat()
    other = path.with_name("other.toml")
    other.write_text(path.read_text().replace('"new"', '"two"'))
    other.chmod(0o600)
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)
    clock.now += 1

    assert "two" == keys().signing


def test_one_thread_looks_and_the_others_go_on_with_what_there_is(
    keys: KeyFile, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys()
    reading, go_on = threading.Event(), threading.Event()

    def read(path: Path) -> tuple[KeyRing, Stamp]:
        reading.set()
        assert go_on.wait(10)
        return read_keys(path)

    monkeypatch.setattr(sources, "read_keys", read)
    add_key(path, VERIFYING)
    clock.now += 1
    thread = threading.Thread(target=keys)
    thread.start()
    assert reading.wait(10)
    clock.now += 1
    meanwhile = keys().signing
    go_on.set()
    thread.join()

    assert ("new", "old") == (meanwhile, keys().signing)


def test_keys_come_from_a_variable() -> None:
    value = f"b:{encode(SECRET)}, a:{encode(OLD_SECRET)}"
    ring = keys_from_environment({"TUSD_PY_KEYS": value})

    assert "<KeyRing b signing, a verifying>" == repr(ring)
    assert (SECRET, OLD_SECRET) == (ring.keys["b"].secret, ring.keys["a"].secret)


def test_the_variable_can_have_another_name() -> None:
    assert "b" == keys_from_environment({"KEYS": f"b:{encode(SECRET)}"}, "KEYS").signing


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "TUSD_PY_KEYS: It is not set."),
        (encode(SECRET), "TUSD_PY_KEYS: Key 1: It is not of the form id:secret."),
        (
            f"a:{encode(SECRET)},",
            "TUSD_PY_KEYS: Key 2: It is not of the form id:secret.",
        ),
        (
            f"{encode(SECRET)}:a",
            "TUSD_PY_KEYS: Key 1: Its secret is not base64url without padding.",
        ),
        (
            f"{encode(SECRET)}:{encode(SECRET)}",
            "TUSD_PY_KEYS: Key 1: The id of a key has 1 to 32 letters, digits, _ or -.",
        ),
        (
            f"a:{encode(SECRET[:31])}",
            'TUSD_PY_KEYS: Key 1: The secret of the key "a" has less than 32 bytes.',
        ),
        (f"a:{encode(SECRET)},a:{encode(SECRET)}", 'Two keys have the id "a".'),
    ],
)
def test_a_variable_of_another_form_is_told_without_secrets(value: str, expected: str) -> None:
    with pytest.raises(ConfigError) as raised:
        keys_from_environment({"TUSD_PY_KEYS": value})

    assert expected == str(raised.value)
