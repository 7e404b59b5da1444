"""Hooks over HTTP of real server processes, which are killed, and are more than one."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.hooks import Answer, HookServer, hook_server, saying
from tests.support.live import Wire, created, offset_of, patch_head
from tests.support.server import REPOSITORY, ServerProcess, environment
from tests.support.workers import kill_all, wait_for_workers, wait_until
from tusd_py.auth import Key, KeyFile, Signer
from tusd_py.auth.keyfile import add_key

OFFSET_TYPE = "application/offset+octet-stream"
SECRET = b"the secret of hooks in a test..."


@pytest.fixture
def hooks() -> Iterator[HookServer]:
    with hook_server() as server:
        yield server


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def upload(server: ServerProcess, body: bytes = b"hello", **headers: str) -> str:
    """Upload in one request, and return the upload's id."""
    with Wire(server.port) as wire:
        response = wire.request(
            "POST",
            "/files/",
            body,
            upload_length=str(len(body)),
            content_type=OFFSET_TYPE,
            **headers,
        )
    assert 201 == response.status, response.body
    return response.headers["location"].rpartition("/")[2].partition(".")[0]


def tusd_py(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tusd_py", *arguments],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def listed(data_dir: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(
        tusd_py("hooks", "list", "--json", "--data-dir", str(data_dir))
    )
    return found


def test_an_upload_is_asked_about_and_told(data_dir: Path, hooks: HookServer) -> None:
    with ServerProcess(data_dir, "--hooks-http", hooks.url) as server:
        upload_id = upload(server)
        hooks.wait_for_types("pre-create", "post-create", "post-receive", "post-finish")

        (finished,) = hooks.of("post-finish")
        assert upload_id == finished.upload["ID"]
        assert b"hello" == Path(finished.upload["Storage"]["Path"]).read_bytes()
        wait_until(lambda: not listed(data_dir), "what was heard is kept")


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_killed_server_did_not_tell_is_told_by_the_next(
    data_dir: Path, hooks: HookServer, workers: int
) -> None:
    never = threading.Event()
    hooks.say = lambda heard: Answer(hang=never if heard.type.startswith("post") else None)
    options = ("--hooks-http", hooks.url, "--workers", str(workers))
    server = ServerProcess(data_dir, *options).start()
    uploads = [upload(server) for _ in range(5)]
    # They are on their way, and nobody has said that they were heard.
    hooks.wait_for(lambda: len(hooks.of("post-create")) == 5)
    kill_all(server)
    never.set()
    hooks.heard.clear()
    hooks.say = lambda _: Answer()

    with server:
        hooks.wait_for(lambda: len(hooks.heard) >= 10)
        wait_until(lambda: not listed(data_dir), "what was heard is kept")

    for kind in ("post-create", "post-finish"):
        assert sorted(uploads) == sorted(heard.upload["ID"] for heard in hooks.of(kind))
    for each in uploads:
        about = [heard.type for heard in hooks.heard if heard.upload["ID"] == each]
        assert ["post-create", "post-finish"] == about


def test_of_several_workers_one_tells_and_nothing_is_told_twice(
    data_dir: Path, hooks: HookServer
) -> None:
    events = "post-create,post-finish,post-terminate"
    options = ("--hooks-http", hooks.url, "--hooks-enabled-events", events, "--workers", "2")
    with ServerProcess(data_dir, *options) as server:
        wait_for_workers(server, 2)
        uploads = [upload(server) for _ in range(40)]
        for each in uploads:
            with Wire(server.port) as wire:
                assert 204 == wire.request("DELETE", f"/files/{each}").status
        hooks.wait_for(lambda: len(hooks.heard) >= 120)
        wait_until(lambda: not listed(data_dir), "what was heard is kept")

    assert 120 == len({heard.id for heard in hooks.heard}) == len(hooks.heard)
    for each in uploads:
        about = [heard.type for heard in hooks.heard if heard.upload["ID"] == each]
        assert ["post-create", "post-finish", "post-terminate"] == about


def test_a_server_that_is_stopped_lets_what_is_being_told_be_heard(
    data_dir: Path, hooks: HookServer
) -> None:
    slow = threading.Event()
    hooks.say = lambda heard: Answer(hang=slow if heard.type == "post-finish" else None)
    server = ServerProcess(data_dir, "--hooks-http", hooks.url).start()
    upload(server)
    hooks.wait_for(lambda: hooks.of("post-finish"))
    threading.Timer(0.2, slow.set).start()

    assert 0 == server.stop()
    assert [] == listed(data_dir)


def test_a_dead_letter_is_told_again_when_somebody_says_so(
    data_dir: Path, hooks: HookServer
) -> None:
    hooks.say = lambda _: Answer(status=404)
    options = ("--hooks-enabled-events", "post-finish", "--hooks-max-attempts", "1")
    with ServerProcess(data_dir, "--hooks-http", hooks.url, *options) as server:
        upload_id = upload(server)
        wait_until(lambda: [each["state"] for each in listed(data_dir)] == ["dead"])
        (dead,) = listed(data_dir)
        assert ("post-finish", upload_id, 1) == (dead["hook"], dead["upload"], dead["attempts"])
        hooks.say = lambda _: Answer()

        tusd_py("hooks", "retry", "--all", "--data-dir", str(data_dir))

        wait_until(lambda: not listed(data_dir))
    assert [dead["id"]] * 2 == [heard.id for heard in hooks.heard]


def test_requests_are_signed(data_dir: Path, hooks: HookServer, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"whsec_{base64.b64encode(SECRET).decode()}\n")
    secret.chmod(0o600)
    options = ("--hooks-http", hooks.url, "--hooks-secret-file", str(secret))
    with ServerProcess(data_dir, *options) as server:
        upload(server)
        hooks.wait_for_types("pre-create", "post-create", "post-receive", "post-finish")

    for heard in hooks.heard:
        signed = f"{heard.id}.{heard.headers['webhook-timestamp']}.".encode() + heard.body
        signature = base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
        assert f"v1,{signature}" == heard.headers["webhook-signature"]


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        (None, 0o600, "The secret cannot be read"),
        ("whsec_c2hvcnQ=", 0o600, "A secret has 24 to 64 bytes"),
        (f"whsec_{base64.b64encode(SECRET).decode()}", 0o644, "Others than its owner"),
    ],
)
def test_a_secret_that_is_none_stops_the_start(
    data_dir: Path, tmp_path: Path, text: str | None, mode: int, why: str
) -> None:
    secret = tmp_path / "secret"
    if text is not None:
        secret.write_text(text)
        secret.chmod(mode)
    options = ("--hooks-http", "http://127.0.0.1:9/", "--hooks-secret-file", str(secret))
    done = ServerProcess(data_dir, *options).run_to_its_end()

    assert 1 == done.returncode
    assert f"{secret}: {why}" in done.stderr
    assert text is None or text not in done.stderr


def test_no_token_reaches_a_hook_or_the_database(
    data_dir: Path, hooks: HookServer, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.toml"
    add_key(keys, Key("k1", b"the secret of a server in a test"))
    grant = Signer(KeyFile(keys)).grant(subject="alice", max_length=100, can=["DELETE"])
    events = "pre-access,pre-create,post-create,post-receive,pre-finish,post-finish,pre-terminate"
    options = ("--hooks-enabled-events", events, "--auth-keys", str(keys))
    forward = ("--hooks-http-forward-headers", "Authorization,Referer")
    with ServerProcess(data_dir, "--hooks-http", hooks.url, *options, *forward) as server:
        with Wire(server.port) as wire:
            response = wire.request(
                "POST",
                "/files/",
                upload_length="5",
                authorization=f"Bearer {grant}",
                referer=f"http://a/files/-/{grant}",
            )
            url = "/" + response.headers["location"].split("/", 3)[3]
            capability = url.partition(".")[2]
            headers = {"upload_offset": "0", "content_type": OFFSET_TYPE, "referer": url}
            assert 204 == wire.request("PATCH", url, b"hello", **headers).status
            assert 204 == wire.request("DELETE", url, referer=url).status
        hooks.wait_for(lambda: {*events.split(",")} == {*hooks.types})
        stored = b"".join(file.read_bytes() for file in data_dir.glob("tus.db*"))

    told = b"".join(heard.body + repr(heard.headers).encode() for heard in hooks.heard) + stored
    for secret in (grant, capability, grant.rpartition(".")[2], capability.rpartition(".")[2]):
        assert secret
        assert secret.encode() not in told


def test_a_running_transfer_is_told_once_a_second_and_can_be_stopped(
    data_dir: Path, hooks: HookServer
) -> None:
    events = "post-receive,post-terminate"
    options = ("--hooks-http", hooks.url, "--hooks-enabled-events", events)
    with ServerProcess(data_dir, *options) as server:
        path = created(server.port, 10**9)
        stop = {"StopUpload": True, "HTTPResponse": {"StatusCode": 403, "Body": "Enough."}}
        hooks.say = lambda _: saying(stop) if len(hooks.heard) == 3 else Answer()
        status, body = pour(server.port, path, 10**9)

        assert (403, b"Enough.") == (status, body)
        hooks.wait_for(lambda: hooks.of("post-terminate"))
        with Wire(server.port) as wire:
            assert 404 == wire.request("HEAD", path).status
    told = hooks.of("post-receive")
    assert 3 == len(told)
    pauses = [later.at - earlier.at for earlier, later in pairwise(told)]
    assert all(pause > 0.95 for pause in pauses), pauses
    assert [*sorted({heard.upload["Offset"] for heard in told})] == [
        heard.upload["Offset"] for heard in told
    ]


def test_a_hook_that_has_a_say_and_is_down_is_a_503_and_the_upload_goes_on_later(
    data_dir: Path,
) -> None:
    with hook_server() as hooks:
        port = int(hooks.url.rpartition(":")[2].partition("/")[0])
    options = ("--hooks-enabled-events", "pre-finish", "--hooks-http-backoff", "0.01s")
    with ServerProcess(data_dir, "--hooks-http", hooks.url, *options) as server:
        path = created(server.port, 5)
        with Wire(server.port) as wire:
            headers = {"upload_offset": "0", "content_type": OFFSET_TYPE}
            failed = wire.request("PATCH", path, b"hello", **headers)
        assert (503, "10") == (failed.status, failed.headers["retry-after"])

        with hook_server(port):
            assert 5 == offset_of(server.port, path)


def pour(port: int, path: str, length: int) -> tuple[int, bytes]:
    """Send small pieces now and then until there is an answer."""
    with Wire(port) as wire:
        wire.send(patch_head(path, length))
        wire.socket.settimeout(0.02)
        for _ in range(1000):
            wire.send(b"x" * 1000)
            try:
                wire._receive()
            except TimeoutError:
                continue
            break
        wire.socket.settimeout(10)
        response = wire.response()
        return response.status, response.body
