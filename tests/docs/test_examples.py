"""Every example starts and takes an upload."""

import runpy
from pathlib import Path

import pytest

from tests.support.live import Wire, live

EXAMPLES = Path(__file__).parents[2] / "examples"
OFFSET_TYPE = "application/offset+octet-stream"


@pytest.mark.parametrize("name", ["fastapi_app.py", "starlette_app.py"])
def test_an_example_takes_an_upload(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = runpy.run_path(str(EXAMPLES / name))["app"]
    with live(app) as server, Wire(server.port) as wire:
        response = wire.request(
            "POST",
            "/files",
            b"hello",
            upload_length="5",
            content_type=OFFSET_TYPE,
            authorization="Bearer alice-token",
        )
    assert 201 == response.status
    assert [b"hello"] == [
        file.read_bytes() for file in (tmp_path / "data/files").rglob("*") if file.is_file()
    ]


def test_the_starlette_example_keeps_uploads_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = runpy.run_path(str(EXAMPLES / "starlette_app.py"))["app"]
    alice, bob = "Bearer alice-token", "Bearer bob-token"
    with live(app) as server, Wire(server.port) as wire:
        assert 401 == wire.request("POST", "/files", upload_length="5").status
        created = wire.request("POST", "/files", b"", upload_length="5", authorization=alice)
        path = "/" + created.headers["location"].split("/", 3)[3]
        assert 404 == wire.request("HEAD", path, b"", authorization=bob).status
        assert 200 == wire.request("HEAD", path, b"", authorization=alice).status
