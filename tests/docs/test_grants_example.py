"""The page and the backend of the example with grants, used as a browser uses them."""

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live import Wire, WireResponse, live, patch_head, wait_until_stored
from tests.unit.auth.samples import SIGNING
from tusd_py.auth.keyfile import add_key

EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_grants.py"
OFFSET_TYPE = "application/offset+octet-stream"
COOKIE = "session=alice-session"


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.chdir(tmp_path)
    add_key(tmp_path / "keys.toml", SIGNING)
    with live(runpy.run_path(str(EXAMPLE))["app"]) as server:
        yield server.port


def ask(wire: Wire, length: int, **headers: str) -> WireResponse:
    """Ask for a grant as the page does."""
    wanted = json.dumps({"length": length}).encode()
    return wire.request("POST", "/grants", wanted, content_type="application/json", **headers)


def granted(wire: Wire, length: int) -> str:
    """The header for the creation of an upload of alice's."""
    response = ask(wire, length, cookie=COOKIE)
    assert 200 == response.status
    return f"Bearer {json.loads(response.body)['grant']}"


def create(wire: Wire, length: int, authorization: str, **headers: str) -> WireResponse:
    return wire.request(
        "POST", "/files/", b"", upload_length=str(length), authorization=authorization, **headers
    )


def path_of(created: WireResponse) -> str:
    assert 201 == created.status
    return "/" + created.headers["location"].split("/", 3)[3]


def test_an_upload_with_a_grant_is_cut_and_goes_on(port: int, tmp_path: Path) -> None:
    with Wire(port) as wire:
        path = path_of(create(wire, 10, granted(wire, 10), upload_metadata="filename YS50eHQ="))
    with Wire(port) as wire:
        wire.send(patch_head(path, 10), b"hell")
        wait_until_stored(tmp_path / "data", 4)
        wire.reset()
    with Wire(port) as wire:
        at = wire.request("HEAD", path).headers["upload-offset"]
        assert "4" == at
        for part in (b"o, w", b"or"):
            done = wire.request("PATCH", path, part, upload_offset=at, content_type=OFFSET_TYPE)
            assert 204 == done.status
            at = done.headers["upload-offset"]
    assert [b"hello, wor"] == [
        file.read_bytes() for file in (tmp_path / "data/files").rglob("*") if file.is_file()
    ]


def test_a_grant_admits_one_upload(port: int) -> None:
    with Wire(port) as wire:
        grant = granted(wire, 5)
        path = path_of(create(wire, 5, grant))
        assert path == path_of(create(wire, 5, grant))
        assert 200 == wire.request("HEAD", path).status
        again = create(wire, 5, grant)
    assert (403, "grant-used") == (again.status, json.loads(again.body)["code"])
    assert "location" not in again.headers


def test_a_grant_is_for_what_was_asked_for(port: int) -> None:
    with Wire(port) as wire:
        grant = granted(wire, 5)
        assert 403 == create(wire, 6, grant).status
        assert 403 == create(wire, 5, grant, upload_metadata="other YQ==").status
        assert 401 == wire.request("POST", "/files/", upload_length="5").status
        assert 201 == create(wire, 5, grant).status


@pytest.mark.parametrize("headers", [{}, {"cookie": "session=mallorys"}])
def test_who_is_not_logged_in_gets_no_grant(port: int, headers: dict[str, str]) -> None:
    with Wire(port) as wire:
        response = ask(wire, 5, **headers)
    assert 401 == response.status
    assert b"grant" not in response.body


def test_the_page_has_what_it_asks_for(port: int, tmp_path: Path) -> None:
    with Wire(port) as wire:
        page = wire.request("GET", "/")
        assert 404 == wire.request("GET", "/tus.min.js").status
        client = tmp_path / "node_modules/tus-js-client/dist/tus.min.js"
        client.parent.mkdir(parents=True)
        client.write_text("// tus-js-client")
        assert [b"// tus-js-client"] == [
            wire.request("GET", source).body
            for source in re.findall(r'src="([^"]+)"', page.body.decode())
        ]
    assert page.headers["set-cookie"].startswith(f"{COOKIE};")
    assert not re.search(rb"https?://", page.body)
