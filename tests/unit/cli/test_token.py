"""``tusd-py token create`` prints a grant and nothing else, for scripts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.unit.auth.samples import RETIRED, RING, SIGNING
from tests.unit.cli.fakes import Run
from tusd_py.auth.claims import Grant
from tusd_py.auth.grant import verify_grant
from tusd_py.auth.keyfile import add_key, retire_key
from tusd_py.auth.rights import DEFAULT_RIGHTS, names_of


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "keys.toml"
    add_key(file, RETIRED)
    add_key(file, SIGNING)
    retire_key(file, RETIRED.id)
    return file


def granted(run: Run, keys: Path, *args: str) -> Grant:
    done = run("token", "create", "--keys", str(keys), "--subject", "alice", *args)
    assert (0, "") == (done.exit_code, done.stderr)
    (line,) = done.stdout.splitlines()
    return verify_grant(line, RING, time.time())


def test_a_grant_is_printed_alone(run: Run, keys: Path) -> None:
    grant = granted(run, keys, "--max-length", "10MB", "--ttl", "15m")

    assert ("alice", 10_000_000, None) == (grant.subject, grant.max_length, grant.length)
    assert (900, DEFAULT_RIGHTS) == (grant.expires - grant.not_before, grant.can)
    assert (1, 0, None) == (grant.uploads, grant.parts, grant.path)
    assert ({}, None) == (grant.metadata, grant.allowed_metadata)


def test_a_grant_says_all_that_is_asked_for(run: Run, keys: Path) -> None:
    grant = granted(
        run,
        keys,
        *("--length", "1KiB", "--ttl", "90s", "--parts", "8", "--uploads", "2"),
        *("--can", "GET,DELETE", "--path", "/files/"),
        *("--metadata", "filename=a=b, c.bin", "--metadata", "note="),
        *("--allow-metadata", "filetype,x", "--allow-metadata", "y"),
    )

    assert (1024, 90) == (grant.length, grant.expires - grant.not_before)
    assert (8, 2, "/files/") == (grant.parts, grant.uploads, grant.path)
    assert ["HEAD", "PATCH", "GET", "DELETE"] == names_of(grant.can)
    assert {"filename": "a=b, c.bin", "note": ""} == grant.metadata
    assert ("filetype", "x", "y") == grant.allowed_metadata


def test_a_long_life_is_granted_and_warned_of(run: Run, keys: Path) -> None:
    args = ("--subject", "alice", "--length", "1", "--ttl", "1h")
    done = run("token", "create", "--keys", str(keys), *args)

    assert 0 == done.exit_code
    warning = "--ttl: Servers refuse grants for more than 15m unless set up otherwise.\n"
    assert warning == done.stderr
    (line,) = done.stdout.splitlines()
    grant = verify_grant(line, RING, time.time(), max_lifetime=3600)
    assert 3600 == grant.expires - grant.not_before


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((), "--max-length: Either this or --length is needed.\n"),
        (
            ("--length", "5", "--max-length", "5"),
            "--max-length: Either this or --length is needed.\n",
        ),
        (("--length", "5XB"), '--length: "5XB" is not a size such as 5GB or 512MiB.\n'),
        (
            ("--length", "5", "--ttl", "soon", "--parts", "x", "--metadata", "a"),
            (
                '--ttl: "soon" is not a duration such as 90s, 1h30m or 7d.\n'
                '--parts: "x" is not a whole number.\n'
                '--metadata: "a" is not of the form NAME=VALUE.\n'
            ),
        ),
        (
            ("--length", "5", "--metadata", "a=1", "--metadata", "a=2"),
            '--metadata: "a=2" has this name a second time.\n',
        ),
        (
            ("--length", "5", "--ttl", "0"),
            "A grant holds for a whole number of seconds, at least one.\n",
        ),
        (
            ("--length", "5", "--can", "POST"),
            '"POST" is none of HEAD, PATCH, GET, DELETE-UNFINISHED, DELETE.\n',
        ),
        (("--length", "5", "--uploads", "0"), "uploads is a whole number from 1 to 1000000.\n"),
        (
            ("--length", "5", "--subject", "a\nb"),
            "The subject has 1 to 256 characters and no control characters.\n",
        ),
        (
            ("--length", "5", "--path", "files"),
            "path is a path such as /files/, of printable ASCII.\n",
        ),
        (("--zzz", "5"), "No such option '--zzz'.\n"),
    ],
)
def test_bad_arguments_are_told_in_a_line_each(
    run: Run, keys: Path, args: tuple[str, ...], told: str
) -> None:
    done = run("token", "create", "--keys", str(keys), "--subject", "alice", *args)

    assert (2, "", told) == (done.exit_code, done.stdout, done.stderr)


def test_keys_that_cannot_be_used_are_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    done = run("token", "create", "--keys", str(file), "--subject", "alice", "--length", "5")

    told = f"{file}: There is no such file. Make it: tusd-py keys new\n"
    assert (2, "", told) == (done.exit_code, done.stdout, done.stderr)
