"""The example of an application that hears hooks, with a real server that calls it."""

import base64
import json
import runpy
import time
from pathlib import Path

import httpx
import pytest

from tests.support.live import Wire, live
from tests.support.server import ServerProcess
from tests.support.workers import wait_until
from tusd_py.hooks.signature import read_secret, signature_headers

EXAMPLE = Path(__file__).parents[2] / "examples" / "hooks_app.py"
SECRET = "whsec_" + base64.b64encode(b"the secret of an example of hooks").decode()
ANOTHER = "whsec_" + base64.b64encode(b"the secret of somebody else.....").decode()
OFFSET_TYPE = "application/offset+octet-stream"


def test_the_example_refuses_changes_and_hears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOKS_SECRET", SECRET)
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    example = runpy.run_path(str(EXAMPLE))
    with live(example["app"]) as application:
        hooks = f"http://127.0.0.1:{application.port}/hooks"
        options = ("--hooks-http", hooks, "--hooks-secret-file", str(secret))
        with ServerProcess(tmp_path / "data", *options) as server, Wire(server.port) as wire:
            nameless = wire.request("POST", "/files/", upload_length="5")
            assert (422, {"message": "A file needs a name."}) == (
                nameless.status,
                json.loads(nameless.body),
            )
            created = wire.request(
                "POST",
                "/files/",
                b"hello",
                upload_length="5",
                content_type=OFFSET_TYPE,
                upload_metadata="filename YS50eHQ=,secret eA==",
            )
            path = "/" + created.headers["location"].split("/", 3)[3]
            shown = wire.request("HEAD", path).headers["upload-metadata"]
            wait_until(lambda: example["finished"])
    assert "filename YS50eHQ=" == shown
    (file,) = example["finished"].values()
    assert b"hello" == Path(file).read_bytes()


@pytest.mark.parametrize(
    ("secret", "age", "status"),
    [
        (SECRET, 0, 200),
        (SECRET, 1000, 401),
        (SECRET, -1000, 401),
        (ANOTHER, 0, 401),
        (None, 0, 401),
    ],
    ids=["genuine", "old", "of the future", "of another", "not signed"],
)
def test_the_example_hears_nobody_else(
    monkeypatch: pytest.MonkeyPatch, secret: str | None, age: int, status: int
) -> None:
    monkeypatch.setenv("HOOKS_SECRET", SECRET)
    example = runpy.run_path(str(EXAMPLE))
    body = b'{"Type":"post-create","Event":{"Upload":{}}}'
    known = None if secret is None else read_secret(secret)
    headers = signature_headers(known, "id", int(time.time()) - age, body)
    with live(example["app"]) as application:
        url = f"http://127.0.0.1:{application.port}/hooks"
        assert status == httpx.post(url, content=body, headers=headers).status_code


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1e9", "9" * 400, "9" * 5000])
def test_the_example_takes_nothing_for_a_time_that_is_none(
    monkeypatch: pytest.MonkeyPatch, timestamp: str
) -> None:
    monkeypatch.setenv("HOOKS_SECRET", SECRET)
    example = runpy.run_path(str(EXAMPLE))
    headers = {"webhook-id": "id", "webhook-timestamp": timestamp, "webhook-signature": "v1,"}
    with live(example["app"]) as application:
        url = f"http://127.0.0.1:{application.port}/hooks"
        assert 401 == httpx.post(url, content=b"{}", headers=headers).status_code
