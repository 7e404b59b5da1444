"""What ``tusd-py serve`` says at its start, and how it fails."""

from __future__ import annotations

import errno
import json
import socket
from pathlib import Path

import pytest

from tests.unit.cli.fakes import FakeServer, Run
from tusd_py.auth import Key
from tusd_py.auth.keyfile import add_key
from tusd_py.cli.serve import is_loopback
from tusd_py.errors import MetadataError, SchemaTooNew, StorageError
from tusd_py.serving.descriptors import TooFewDescriptors
from tusd_py.serving.listeners import CannotListen


def test_the_start_says_where_and_how(
    run: Run, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server.url = "http://127.0.0.1:4321/files/"
    done = run("serve", "--log-format", "console")
    assert "listens on http://127.0.0.1:4321/files/" in done.stderr
    assert f"stores under {tmp_path / 'data'}\n" in done.stderr
    assert (
        "curl -i -X POST http://127.0.0.1:4321/files/ -H 'Tus-Resumable: 1.0.0' "
        "-H 'Upload-Length: 5' -H 'Content-Type: application/offset+octet-stream' "
        "--data-binary hello\n"
    ) in done.stderr
    assert (
        'new tus.Upload(file, { endpoint: "http://127.0.0.1:4321/files/" }).start()\n'
    ) in done.stderr
    assert "" == done.stdout


@pytest.mark.parametrize(
    ("url", "pasted"),
    [
        ("http://0.0.0.0:1080/files/", "POST http://127.0.0.1:1080/files/ -H"),
        ("http://[::]:1080/files/", "POST 'http://[::1]:1080/files/' -H"),
        ("http://[::1]:1080/files/", "POST 'http://[::1]:1080/files/' -H"),
    ],
)
def test_what_is_to_be_pasted_works_on_this_machine(
    run: Run, server: FakeServer, url: str, pasted: str
) -> None:
    server.url = url
    done = run("serve")
    assert f"listens on {url}\n" in done.stderr
    assert pasted in done.stderr


def test_with_json_the_log_alone_is_on_stdout(run: Run, server: FakeServer, tmp_path: Path) -> None:
    done = run("serve", "--data-dir", str(tmp_path), "--log-format", "json")
    (line,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert ("server.started", server.url, str(tmp_path)) == (
        line["event"],
        line["url"],
        line["data_dir"],
    )
    assert "curl" in done.stderr


@pytest.mark.parametrize(
    ("host", "warned"),
    [
        ("127.0.0.1", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),  # noqa: S104 - nothing is bound
        ("::", True),
        ("192.168.1.5", True),
        ("files.example", True),
    ],
)
@pytest.mark.usefixtures("server")
def test_serving_a_network_without_authentication_is_warned_of(
    run: Run, host: str, warned: bool
) -> None:
    done = run("serve", "--host", host)
    assert warned == ("anyone who can reach it can write" in " ".join(done.stderr.split()))
    assert warned != is_loopback(host)


@pytest.mark.usefixtures("server")
def test_on_a_socket_file_nobody_is_warned_and_curl_goes_there(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "tus.sock"
    done = run("serve", "--host", "::", "--unix-socket", str(path))
    assert "Warning" not in done.stderr
    assert f"curl -i -X POST --unix-socket {path} http://localhost/files/ -H" in done.stderr
    assert "tus-js-client" not in done.stderr


@pytest.mark.parametrize(("mode", "expected"), [("660", 0o660), ("0600", 0o600), ("0", 0)])
def test_a_mode_is_read_as_chmod_reads_it(
    run: Run, server: FakeServer, mode: str, expected: int
) -> None:
    assert 0 == run("serve", "--unix-socket-mode", mode).exit_code
    assert [expected] == [settings.unix_socket_mode for settings in server.served]


@pytest.mark.parametrize("mode", ["", "rw", "0o660", "888", "-1", "6_6", "1777"])
def test_what_is_no_mode_is_refused(run: Run, mode: str) -> None:
    done = run("serve", "--unix-socket-mode", mode)
    assert 2 == done.exit_code
    assert "mode" in done.stderr


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "keys.toml"
    add_key(path, Key("k1", b"the secret of a server in a test"))
    return str(path)


@pytest.mark.usefixtures("server")
def test_the_warning_says_what_to_do(run: Run) -> None:
    warning = " ".join(run("serve", "--host", "::").stderr.split())
    assert "tusd-py keys new" in warning
    assert "--auth-keys keys.toml" in warning


@pytest.mark.usefixtures("server")
def test_who_asks_for_grants_is_not_warned_and_is_told_how_to_make_one(run: Run, keys: str) -> None:
    done = run("serve", "--host", "::", "--auth-keys", keys)
    assert "Warning" not in done.stderr
    assert f"GRANT=$(tusd-py token create --keys {keys} --subject me" in done.stderr
    assert '-H "Authorization: Bearer $GRANT" --data-binary hello\n' in done.stderr
    assert "headers: { Authorization: `Bearer ${grant}` } }).start()" in done.stderr


@pytest.mark.usefixtures("server")
def test_the_log_says_whether_anybody_is_asked(run: Run, keys: str) -> None:
    for flags, expected in (([], "none"), (["--auth-keys", keys], "grants")):
        done = run("serve", "--log-format", "json", *flags)
        (line,) = [json.loads(line) for line in done.stdout.splitlines()]
        assert expected == line["authentication"]


def test_keys_that_cannot_be_used_stop_the_start(run: Run, server: FakeServer, keys: str) -> None:
    Path(keys).chmod(0o640)
    done = run("serve", "--auth-keys", keys)
    assert (1, [], "") == (done.exit_code, server.served, done.stdout)
    assert "chmod 600" in done.stderr


@pytest.mark.usefixtures("server")
def test_pages_of_other_origins_are_mentioned_until_some_are_allowed(run: Run) -> None:
    assert "--cors-origin" in run("serve").stderr
    assert "--cors-origin" not in run("serve", "--cors-origin", "*").stderr


def test_a_limit_of_open_files_below_the_settings_is_warned_of(
    run: Run, server: FakeServer
) -> None:
    server.few_descriptors = "There are few."
    done = run("serve")
    assert 0 == done.exit_code
    assert "Warning: There are few.\n" in done.stderr


def test_the_exit_code_is_the_servers(run: Run, server: FakeServer) -> None:
    server.exit_code = 3
    assert 3 == run("serve").exit_code


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (OSError(errno.EADDRINUSE, "in use"), ["port 1080", "Another program", "--port"]),
        (OSError(errno.EACCES, "denied"), ["port 1080", "may not listen", "--port"]),
        (OSError(errno.EADDRNOTAVAIL, "no"), ["127.0.0.1 is no address", "--host"]),
        (socket.gaierror(-2, "unknown"), ["127.0.0.1 is no address", "--host"]),
        (OSError(errno.EMFILE, "Too many open files"), ["port 1080", "Too many open files"]),
        (OSError(errno.EACCES, "Denied", "a/b"), ["{data}", "Denied (a/b)", "--data-dir"]),
        (
            caused(StorageError(), OSError(errno.EACCES, "Permission denied", "a/b")),
            ["{data}", "Permission denied (a/b)", "--data-dir"],
        ),
        (
            caused(MetadataError(), ValueError("file is not a database")),
            ["The database in {data}", "file is not a database"],
        ),
        (CannotListen("a.sock is no socket."), ["a.sock is no socket."]),
        (TooFewDescriptors("This process may have 7 files open."), ["This process may have 7"]),
        (SchemaTooNew(found=9, known=1), ["{data}", "schema 9", "newer"]),
    ],
)
def test_a_start_that_fails_is_explained_in_one_line(
    run: Run, server: FakeServer, tmp_path: Path, failure: Exception, words: list[str]
) -> None:
    server.failure = failure
    done = run("serve", "--data-dir", str(tmp_path / "data"))
    assert 1 == done.exit_code
    assert "" == done.stdout
    assert 1 == len(done.stderr.splitlines())
    missing = [w for w in words if w.format(data=tmp_path / "data") not in done.stderr]
    assert [] == missing
