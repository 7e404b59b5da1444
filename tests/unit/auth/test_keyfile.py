"""Keys lie in a file that nobody but its owner can read, and that is whole at any moment."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.auth.samples import OLD_SECRET, RETIRED, SECRET, SIGNING, VERIFYING
from tusd_py.auth.encoding import encode
from tusd_py.auth.keyfile import add_key, read_keys, retire_key
from tusd_py.auth.keys import Key, KeyRing, KeyState
from tusd_py.errors import ConfigError

REPOSITORY = Path(__file__).parents[3]
TEXT = encode(SECRET)
GOOD = f'[[keys]]\nid = "new"\nstate = "signing"\nsecret = "{TEXT}"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def problem(path: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        read_keys(path)
    place, _, sentence = str(raised.value).partition(": ")
    assert str(path) == place
    # Not even what an error hangs on to.
    assert raised.value.__context__ is None
    return sentence


def states(ring: KeyRing) -> dict[str, str]:
    return {key.id: key.state.value for key in ring.keys.values()}


def test_the_first_key_makes_the_file_and_signs(path: Path) -> None:
    created = datetime(2026, 1, 31, 12, tzinfo=UTC)
    add_key(path, Key("k1", SECRET, created=created))

    (key,) = read_keys(path)[0].keys.values()
    assert Key("k1", SECRET, KeyState.SIGNING, created) == key


def test_a_new_key_signs_and_the_one_before_verifies(path: Path) -> None:
    for key in (SIGNING, VERIFYING, Key("third", OLD_SECRET)):
        made = add_key(path, key)

    assert {"new": "verifying", "old": "verifying", "third": "signing"} == states(made)
    assert states(made) == states(read_keys(path)[0])


def test_a_retired_key_stays_known(path: Path) -> None:
    add_key(path, SIGNING)
    add_key(path, VERIFYING)
    retire_key(path, "new")

    assert {"new": "retired", "old": "signing"} == states(read_keys(path)[0])
    add_key(path, Key("third", SECRET))
    assert "retired" == states(read_keys(path)[0])["new"]


def test_an_id_is_not_used_twice(path: Path) -> None:
    add_key(path, SIGNING)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match='Two keys have the id "new"'):
        add_key(path, Key("new", OLD_SECRET))

    assert before == path.read_bytes()


def test_the_signing_key_is_not_retired(path: Path) -> None:
    add_key(path, SIGNING)
    with pytest.raises(ConfigError, match='The key "new" signs'):
        retire_key(path, "new")

    assert {"new": "signing"} == states(read_keys(path)[0])


def test_an_unknown_key_is_not_retired(path: Path) -> None:
    add_key(path, SIGNING)
    with pytest.raises(ConfigError, match='There is no key "other"'):
        retire_key(path, "other")


def test_retiring_makes_no_file(path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no such file"):
        retire_key(path, "new")

    assert [] == [*path.parent.iterdir()]


def test_the_file_is_its_owners_alone_whatever_the_umask_is(path: Path) -> None:
    before = os.umask(0)
    try:
        add_key(path, SIGNING)
        add_key(path, VERIFYING)
    finally:
        os.umask(before)

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_an_administrator_leaves_the_file_to_its_owner(path: Path) -> None:
    add_key(path, SIGNING)
    os.chown(path, 4321, 1234)
    add_key(path, VERIFYING)

    assert (4321, 1234) == (path.stat().st_uid, path.stat().st_gid)


def test_a_link_to_the_file_stays_one(path: Path, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    path.symlink_to(place / "real.toml")
    add_key(path, SIGNING)
    add_key(path, VERIFYING)

    assert path.is_symlink()
    assert {"new": "verifying", "old": "signing"} == states(read_keys(place / "real.toml")[0])


def test_a_file_is_synced_before_it_takes_its_place_and_its_name_after(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_key(path, SIGNING)
    before = path.read_bytes()
    seen: list[str] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file"
        seen.append(f"{kind}, {'old' if path.read_bytes() == before else 'new'}")
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    add_key(path, VERIFYING)

    assert ["file, old", "folder, new"] == seen


def test_a_file_that_cannot_be_written_stays_as_it_was_and_leaves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_key(path, SIGNING)
    before = path.read_bytes()

    def fsync(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        add_key(path, VERIFYING)

    assert before == path.read_bytes()
    assert [path] == [*path.parent.iterdir()]


def test_of_processes_that_add_keys_at_once_none_loses_its_own(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from tusd_py.auth.keyfile import add_key; from tusd_py.auth.keys import Key\n"
        "sys.stdin.read()\n"
        "for n in range(5): add_key(Path(sys.argv[1]), Key(f'{sys.argv[2]}-{n}', bytes(32)))\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path), str(number)],
            stdin=subprocess.PIPE,
            cwd=REPOSITORY,
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()

    assert [0] * 4 == [process.wait() for process in processes]
    assert {f"{p}-{n}" for p in range(4) for n in range(5)} == {*read_keys(path)[0].keys}
    assert [path] == [*path.parent.iterdir()]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o601, 0o777])
def test_a_file_that_others_can_use_is_refused_with_what_to_do(path: Path, mode: int) -> None:
    written(path, GOOD, mode)

    told = problem(path)
    assert told.startswith("Others than its owner may read or change this file")
    assert told.endswith(f"Run: chmod 600 {path}")


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_is_its_owners_alone_is_read(path: Path, mode: int) -> None:
    assert {"new": "signing"} == states(read_keys(written(path, GOOD, mode))[0])


def test_a_file_that_is_not_there_is_told(path: Path) -> None:
    assert "There is no such file. Make it: tusd-py keys new" == problem(path)


def test_a_folder_is_no_file_of_keys(tmp_path: Path) -> None:
    assert "no file of keys" in problem(tmp_path)


@pytest.mark.timeout(10)
def test_a_pipe_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path, 0o600)

    assert "This is no file of keys." == problem(path)


def test_a_huge_file_is_not_read(path: Path) -> None:
    written(path, "#" * 1_000_001)

    assert "This is no file of keys." == problem(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "The file has tables [[keys]], at least one, and nothing else."),
        ("keys = 5", "The file has tables [[keys]], at least one, and nothing else."),
        ("keys = []", "The file has tables [[keys]], at least one, and nothing else."),
        (f"more = 5\n{GOOD}", "The file has tables [[keys]], at least one, and nothing else."),
        (f"secret = {TEXT}", "The file is not TOML (at line 1, column 10)."),
        (f'{GOOD}secret = "{TEXT}"', "The file is not TOML (at end of document)."),
        ("keys = [5]", "Key 1: It needs id, secret and state, may have created, and nothing else."),
        (
            f"{GOOD}more = 5",
            "Key 1: It needs id, secret and state, may have created, and nothing else.",
        ),
        (
            GOOD.replace("id =", "ID ="),
            "Key 1: It needs id, secret and state, may have created, and nothing else.",
        ),
        (GOOD.replace('"new"', "5"), "Key 1: Its id and its secret are text in quotes."),
        (GOOD.replace(f'"{TEXT}"', "5"), "Key 1: Its id and its secret are text in quotes."),
        (
            GOOD.replace('"new"', f'"{TEXT}"'),
            "Key 1: The id of a key has 1 to 32 letters, digits, _ or -.",
        ),
        (
            GOOD.replace("signing", "active"),
            "Key 1: Its state is one of signing, verifying, retired.",
        ),
        (
            GOOD.replace('"signing"', '["signing"]'),
            "Key 1: Its state is one of signing, verifying, retired.",
        ),
        (GOOD.replace(TEXT, f"{TEXT}="), "Key 1: Its secret is not base64url without padding."),
        (
            GOOD.replace(TEXT, TEXT[:40]),
            'Key 1: The secret of the key "new" has less than 32 bytes.',
        ),
        (
            f"{GOOD}created = 2026-01-31T12:00:00",
            "Key 1: Its created is a time with a zone, such as 2026-01-31T12:00:00Z.",
        ),
        (
            f"{GOOD}created = 2026-01-31",
            "Key 1: Its created is a time with a zone, such as 2026-01-31T12:00:00Z.",
        ),
        (
            f"{GOOD}[[keys]]",
            "Key 2: It needs id, secret and state, may have created, and nothing else.",
        ),
        (GOOD + GOOD, 'Two keys have the id "new". Exactly one key must be signing, and 2 are.'),
        (
            GOOD.replace("signing", "retired"),
            "Exactly one key must be signing, and none is.",
        ),
    ],
)
def test_what_is_not_of_the_form_is_told_without_secrets(
    path: Path, text: str, expected: str
) -> None:
    told = problem(written(path, text))

    assert expected == told
    assert TEXT[:40] not in told


def test_what_is_no_text_is_told(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)

    assert "The file is not text in UTF-8." == problem(path)


def test_a_file_that_was_written_by_hand_is_read(path: Path) -> None:
    written(
        path,
        f'# ours\n[[keys]]\nid = "gone"\nsecret = "{encode(RETIRED.secret)}"\nstate = "retired"\n'
        f"created = 2026-01-31T12:00:00+01:00\n{GOOD}",
    )
    ring, _ = read_keys(path)

    assert {"gone": "retired", "new": "signing"} == states(ring)
    assert datetime(2026, 1, 31, 11, tzinfo=UTC) == ring.keys["gone"].created
