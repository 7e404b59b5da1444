"""Every example starts and takes an upload."""

import re
import runpy
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.live import Wire, live

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
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


def test_the_example_with_tokens_knows_their_subjects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UPLOADS_PUBLIC_KEY", public.decode())
    app = runpy.run_path(str(EXAMPLES / "jwt_app.py"))["app"]
    alice, bob = (
        "Bearer "
        + jwt.encode({"sub": name, "aud": "uploads", "exp": time.time() + 60}, private, "RS256")
        for name in ("alice", "bob")
    )
    with live(app) as server, Wire(server.port) as wire:
        assert 401 == wire.request("POST", "/files", upload_length="5").status
        created = wire.request("POST", "/files", b"", upload_length="5", authorization=alice)
        path = "/" + created.headers["location"].split("/", 3)[3]
        assert 404 == wire.request("HEAD", path, b"", authorization=bob).status
        assert 200 == wire.request("HEAD", path, b"", authorization=alice).status


def test_the_guide_uses_tokens_as_the_example_does() -> None:
    guide = (ROOT / "docs/guides/auth.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    (block,) = [block for block in blocks if "JwtSubject" in block]
    assert block in (EXAMPLES / "jwt_app.py").read_text()


def test_the_guide_embeds_as_the_examples_do() -> None:
    guide = (ROOT / "docs/guides/embedding.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    code = [
        (EXAMPLES / name).read_text()
        for name in ("litestar/app/uploads.py", "django/config/asgi.py")
    ]
    shown = [block for block in blocks if "PREFIX" in block]
    assert [True, True] == [block in text for block, text in zip(shown, code, strict=True)]


def _folder(path: Path) -> str:
    return path.parent.name


@pytest.mark.parametrize("requirements", sorted(EXAMPLES.glob("*/requirements.txt")), ids=_folder)
def test_an_application_asks_for_the_versions_that_are_tested(requirements: Path) -> None:
    pinned = (ROOT / "constraints.txt").read_text().splitlines()
    wanted = [
        re.sub(r"\[.*\]", "", line)
        for line in requirements.read_text().splitlines()
        if not line.startswith(("#", "--constraint ../../constraints.txt", "../.."))
    ]
    assert wanted
    assert set() == set(wanted) - set(pinned)
