"""``tusd-py keys`` rotates keys, and says in a sentence what it will not do."""

from __future__ import annotations

import asyncio
import re
import stat
from pathlib import Path

import pytest

from tests.unit.cli.fakes import Run
from tusd_py.auth.encoding import encode
from tusd_py.auth.keyfile import read_keys
from tusd_py.metadata.sqlite import SQLiteMetadata
from tusd_py.protocol.upload import Kind, Upload
from tusd_py.testing.uploads import an_upload


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
    done = run("keys", "retire", first, "--file", str(file), "--force")

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


def database_with(folder: Path, *uploads: Upload) -> Path:
    """A server's folder whose database knows these uploads."""

    async def create() -> None:
        metadata = SQLiteMetadata(folder / "tus.db")
        await metadata.start(durable=False)
        for upload in uploads:
            await metadata.create(upload)
        await metadata.close()

    asyncio.run(create())
    return folder


def test_a_key_that_uploads_still_need_is_not_retired(run: Run, file: Path, tmp_path: Path) -> None:
    old = new(run, file)
    new(run, file)
    data = database_with(
        tmp_path / "data",
        an_upload("open", key_id=old),
        an_upload("never", key_id=old, expires_at=4e9),
        an_upload("finished", key_id=old, finished_at=1.0),
        # Its final upload can be made only with its URL.
        an_upload("part", kind=Kind.PARTIAL, path=None, key_id=old, finished_at=1.0),
        an_upload("expired", key_id=old, expires_at=1.0),
        an_upload("plain"),
    )
    command = ("keys", "retire", old, "--file", str(file), "--data-dir", str(data))
    done = run(*command)

    assert 2 == done.exit_code
    assert done.stderr.startswith(f'3 uploads still need the key "{old}".')
    assert "verifying" == read_keys(file)[0].keys[old].state
    assert 0 == run(*command, "--force").exit_code
    assert "retired" == read_keys(file)[0].keys[old].state


def test_a_key_that_no_upload_needs_is_retired(run: Run, file: Path, tmp_path: Path) -> None:
    old, other = new(run, file), new(run, file)
    data = database_with(tmp_path / "data", an_upload("open", key_id=other))
    done = run("keys", "retire", old, "--file", str(file), "--data-dir", str(data))

    assert (0, "", "") == (done.exit_code, done.stdout, done.stderr)
    assert "retired" == read_keys(file)[0].keys[old].state


def test_the_servers_variable_names_its_folder(
    run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = new(run, file)
    new(run, file)
    data = database_with(tmp_path / "data", an_upload("open", key_id=old))
    monkeypatch.setenv("TUSD_PY_DATA_DIR", str(data))

    assert 2 == run("keys", "retire", old, "--file", str(file)).exit_code
    assert "verifying" == read_keys(file)[0].keys[old].state


def test_who_names_no_database_is_told(
    run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    old = new(run, file)
    new(run, file)
    done = run("keys", "retire", old, "--file", str(file))

    assert 0 == done.exit_code
    assert "nobody looked for uploads" in done.stderr
    assert "retired" == read_keys(file)[0].keys[old].state


def test_without_the_database_that_was_named_no_key_is_retired(
    run: Run, file: Path, tmp_path: Path
) -> None:
    old = new(run, file)
    new(run, file)
    command = ("keys", "retire", old, "--file", str(file), "--data-dir", str(tmp_path / "none"))
    done = run(*command)

    assert 2 == done.exit_code
    assert "There is no database" in done.stderr
    assert not (tmp_path / "none").exists()
    assert "verifying" == read_keys(file)[0].keys[old].state
    assert 0 == run(*command, "--force").exit_code


def test_a_database_that_cannot_be_read_is_told(run: Run, file: Path, tmp_path: Path) -> None:
    old = new(run, file)
    new(run, file)
    (tmp_path / "tus.db").write_bytes(b"no database " * 100)
    done = run("keys", "retire", old, "--file", str(file), "--data-dir", str(tmp_path))

    assert (1, 1) == (done.exit_code, len(done.stderr.splitlines()))
    assert "file is not a database" in done.stderr
    assert "verifying" == read_keys(file)[0].keys[old].state


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
