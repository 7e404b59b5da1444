"""Grants over real sockets: a server, alone and of two processes, that asks for them."""

import logging
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.live import Wire, WireResponse, live
from tests.support.server import ServerProcess
from tests.support.workers import wait_for_workers, wait_until
from tusd_py import FileStorage, Request, SQLiteMetadata, TusApp, Upload
from tusd_py.auth import Grants, Key, KeyFile, Signer
from tusd_py.auth.keyfile import add_key, retire_key

OFFSET_TYPE = "application/offset+octet-stream"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.toml"
    add_key(path, Key("k1", b"the secret of a server in a test"))
    return path


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def server(request: pytest.FixtureRequest, tmp_path: Path, keys: Path) -> Iterator[ServerProcess]:
    options = ("--auth-keys", str(keys), "--workers", str(request.param), "--log-level", "debug")
    with ServerProcess(tmp_path / "data", *options) as server:
        if request.param > 1:
            wait_for_workers(server, request.param)
        yield server


def grant(keys: Path, **claims: object) -> str:
    everything = {"subject": "alice", "max_length": 100, **claims}
    return Signer(KeyFile(keys)).grant(**everything)  # type: ignore[arg-type]


def bearer(keys: Path, **claims: object) -> str:
    return f"Bearer {grant(keys, **claims)}"


def path_in(response: WireResponse) -> str:
    return "/" + response.headers["location"].split("/", 3)[3]


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> WireResponse:
    with Wire(port) as wire:
        return wire.request(method, path, body, **headers)


def test_an_upload_from_its_grant_to_its_end(server: ServerProcess, keys: Path) -> None:
    created = ask(server.port, "POST", "/files/", upload_length="5", authorization=bearer(keys))
    path = path_in(created)
    appended = ask(
        server.port, "PATCH", path, b"hello", upload_offset="0", content_type=OFFSET_TYPE
    )

    assert (201, 204) == (created.status, appended.status)
    assert "5" == ask(server.port, "HEAD", path).headers["upload-offset"]
    assert 403 == ask(server.port, "HEAD", path.partition(".")[0]).status
    assert 403 == ask(server.port, "GET", path).status
    assert 401 == ask(server.port, "POST", "/files/", upload_length="5").status


def test_keys_are_exchanged_while_the_server_runs(server: ServerProcess, keys: Path) -> None:
    created = ask(server.port, "POST", "/files/", upload_length="5", authorization=bearer(keys))
    add_key(keys, Key("k2", b"the secret of the key that follows"))

    def signed_anew() -> bool:
        response = ask(
            server.port, "POST", "/files/", upload_length="5", authorization=bearer(keys)
        )
        return response.status == 201 and ".k2." in response.headers["location"]

    wait_until(signed_anew)
    assert 200 == ask(server.port, "HEAD", path_in(created)).status
    retire_key(keys, "k1")
    wait_until(lambda: ask(server.port, "HEAD", path_in(created)).status == 403)


def test_of_many_with_one_grant_one_creates(server: ServerProcess, keys: Path) -> None:
    sent = bearer(keys)

    def create(number: int) -> int:
        name = f"number {b64encode(bytes([number])).decode()}"
        response = ask(
            server.port,
            "POST",
            "/files/",
            b"hello",
            upload_length="5",
            upload_metadata=name,
            content_type=OFFSET_TYPE,
            authorization=sent,
        )
        return response.status

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(create, range(24)))

    assert {201: 1, 403: 23} == Counter(statuses)
    finished = [path for path in (server.data_dir / "files").rglob("*") if path.is_file()]
    assert 1 == len(finished)


def test_no_token_is_written_anywhere(server: ServerProcess, keys: Path) -> None:
    tokens = [grant(keys, parts=2, can=["GET", "DELETE"]) for _ in range(5)]
    answers: list[WireResponse] = []
    port = server.port

    def post(path: str, token: str | None, **headers: str) -> WireResponse:
        sent = headers if token is None else {**headers, "authorization": f"Bearer {token}"}
        answers.append(ask(port, "POST", path, b"", **sent))
        return answers[-1]

    paths = [path_in(post("/files/", tokens[0], upload_length="5"))]
    paths += [path_in(post(f"/files/-/{tokens[1]}", None, upload_length="5"))]
    part = path_in(post("/files/", tokens[2], upload_length="0", upload_concat="partial"))
    concat = f"final;{part} http://testserver{part}"
    paths += [part, path_in(post("/files/", tokens[2], upload_concat=concat))]
    # And all that can be refused of them.
    post("/files/", tokens[3], upload_length="101")
    post("/files", f"{tokens[3]},{tokens[3]}", upload_length="5")
    post(f"/files/-/{tokens[4]}x", None, upload_length="5")
    post(f"/file/-/{tokens[4]}", None, upload_length="5", referer=tokens[4])
    for path in paths:
        methods = ("HEAD", "POST", "PATCH", "OPTIONS", "GET")
        answers += [ask(port, method, path, x_original_uri=path) for method in methods]
        answers.append(ask(port, "HEAD", f"{path}x"))
        answers.append(ask(port, "HEAD", path.replace("/files/", "/elsewhere/")))
        answers.append(ask(port, "DELETE", path.partition(".")[0]))
    server.stop()

    assert {201, 200, 403, 404, 405} <= {answer.status for answer in answers}
    written = {"log": server.log_file.read_bytes(), "bodies": b"".join(a.body for a in answers)}
    for file in server.data_dir.rglob("*"):
        if file.is_file():
            written[file.name] = file.read_bytes()
    signatures = [each.rpartition(".")[2][:40].encode() for each in (*tokens, *paths)]
    assert [] == [name for name, text in written.items() for s in signatures if s in text]
    assert b'"auth.refused"' in written["log"]
    assert b"the secret of a server" not in b"".join(written.values())


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_the_access_log_of_another_server_has_bare_ids(
    tmp_path: Path, keys: Path, http: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []
    tus = TusApp(
        storage=FileStorage(tmp_path / "data"),
        metadata=SQLiteMetadata(tmp_path / "tus.db"),
        auth=Grants(KeyFile(keys)),
    )

    @tus.on_access
    async def look(request: Request) -> None:
        heard.append(repr((request, dict(request.headers), dict(request.scope))))

    @tus.before_finish
    async def check(upload: Upload) -> None:
        heard.append(repr(upload))

    token = grant(keys)
    caplog.set_level(logging.INFO)
    with live(tus.below("/files"), http=http, access_log=True) as server:
        sent = {"upload_length": "5", "content_type": OFFSET_TYPE}
        created = ask(server.port, "POST", f"/files/-/{token}", b"hello", **sent)
        ask(server.port, "HEAD", path_in(created))
        ask(server.port, "HEAD", path_in(created) + "x")

    lines = [r.getMessage() for r in caplog.records if r.name == "uvicorn.access"]
    assert 3 == len(lines)
    signatures = [each.rpartition(".")[2] for each in (token, path_in(created))]
    assert [] == [text for text in [*lines, *heard] for s in signatures if s in text]
    assert 3 == len(heard)


def test_a_missing_or_open_file_of_keys_stops_the_start(tmp_path: Path, keys: Path) -> None:
    server = ServerProcess(tmp_path / "data", "--auth-keys", str(keys))
    keys.chmod(0o644)
    opened = server.run_to_its_end()
    keys.unlink()
    missing = server.run_to_its_end()

    assert [1, 1] == [opened.returncode, missing.returncode]
    assert [1, 1] == [len(opened.stderr.splitlines()), len(missing.stderr.splitlines())]
    assert "chmod 600" in opened.stderr
    assert "no such file" in missing.stderr
