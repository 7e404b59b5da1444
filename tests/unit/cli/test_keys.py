"""``tusd-py keys`` rotates keys, and says in a sentence what it will not do."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from tests.unit.cli.fakes import Run
from tusd_py.auth.encoding import encode
from tusd_py.auth.keyfile import read_keys


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def new(run: Run, file: Path) -> str:
    done = run("keys", "new", "--file", str(file))
    assert (0, "") == (done.exit_code, done.stderr)
    return done.stdout.removesuffix("\n")


def test_a_new_key_signs_and_its_id_is_printed(run: Run, file: Path) -> None:
    first, second = new(run, file), new(run, file)

    ring, _ = read_keys(file)
    assert f"<KeyRing {first} verifying, {second} signing>" == repr(ring)
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_every_key_has_a_secret_of_32_bytes_of_its_own(run: Run, file: Path) -> None:
    for _ in range(5):
        new(run, file)

    secrets = {key.secret for key in read_keys(file)[0].keys.values()}
    assert [32] * 5 == [len(secret) for secret in secrets]


def test_a_key_is_retired(run: Run, file: Path) -> None:
    first, _ = new(run, file), new(run, file)
    done = run("keys", "retire", first, "--file", str(file))

    assert (0, "", "") == (done.exit_code, done.stdout, done.stderr)
    assert "retired" == read_keys(file)[0].keys[first].state


def test_retiring_twice_is_retiring(run: Run, file: Path) -> None:
    first, _ = new(run, file), new(run, file)
    for _ in range(2):
        assert 0 == run("keys", "retire", first, "--file", str(file)).exit_code


def test_the_signing_key_is_not_retired(run: Run, file: Path) -> None:
    only = new(run, file)
    done = run("keys", "retire", only, "--file", str(file))

    sentence = f'{file}: The key "{only}" signs. Make a new one first: tusd-py keys new\n'
    assert (2, "", sentence) == (done.exit_code, done.stdout, done.stderr)
    assert "signing" == read_keys(file)[0].keys[only].state


def test_an_unknown_key_is_not_retired(run: Run, file: Path) -> None:
    new(run, file)
    done = run("keys", "retire", "other", "--file", str(file))

    assert (2, f'{file}: There is no key "other".\n') == (done.exit_code, done.stderr)


def test_keys_are_listed_without_their_secrets(run: Run, file: Path) -> None:
    first, second = new(run, file), new(run, file)
    done = run("keys", "list", "--file", str(file))

    time = r"  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\n"
    assert re.fullmatch(f"{first}  verifying{time}{second}  signing  {time}", done.stdout)
    for key in read_keys(file)[0].keys.values():
        assert encode(key.secret) not in done.output


@pytest.mark.parametrize("command", [("list",), ("retire", "k1")])
def test_a_file_that_is_missing_is_told(run: Run, file: Path, command: tuple[str, ...]) -> None:
    done = run("keys", *command, "--file", str(file))

    told = f"{file}: There is no such file. Make it: tusd-py keys new\n"
    assert (2, told) == (done.exit_code, done.stderr)


def test_a_file_that_others_can_read_is_told(run: Run, file: Path) -> None:
    new(run, file)
    file.chmod(0o644)
    done = run("keys", "new", "--file", str(file))

    assert 2 == done.exit_code
    assert done.stderr.endswith(f"Run: chmod 600 {file}\n")
    assert 1 == len(done.stderr.splitlines())


def test_a_folder_that_is_missing_is_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "typo" / "keys.toml"
    done = run("keys", "new", "--file", str(file))

    told = f"{file} cannot be written: No such file or directory.\n"
    assert (1, told) == (done.exit_code, done.stderr)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("new",), "Missing option '--file'.\n"),
        (("new", "--file"), "Option '--file' requires an argument.\n"),
        (("retire", "--file", "x"), "Missing argument 'ID'.\n"),
        (("new", "--file", "x", "--files", "y"), "No such option '--files'."),
        (("new", "--file", "x", "y"), "Got unexpected extra argument (y)\n"),
    ],
)
def test_bad_arguments_are_told_in_one_line(run: Run, args: tuple[str, ...], told: str) -> None:
    done = run("keys", *args)

    assert (2, "", 1) == (done.exit_code, done.stdout, len(done.stderr.splitlines()))
    assert done.stderr.startswith(told)
