"""The manual as a site, and the commands of its first page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.server import ServerProcess

ROOT = Path(__file__).parents[2]
START = ROOT / "docs/guides/start.md"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` does: a link that leads nowhere is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = (sys.executable, "-m", "sphinx", "-q", "-n", "-W", "--keep-going")
    done = subprocess.run(
        [*command, "-c", "docs", "-d", str(folder / "doctrees"), ".", str(folder / "html")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (0, "") == (done.returncode, done.stderr)
    return folder / "html"


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {
        path.relative_to(ROOT)
        for pattern in ("docs/**/*.md", "examples/*/README.md", "CHANGELOG.md")
        for path in ROOT.glob(pattern)
    }

    assert {site / page.with_suffix(".html") for page in pages} <= {*site.rglob("*.html")}


def test_the_site_needs_no_other_one(site: Path) -> None:
    loaded = re.compile(r"""<(?:script|link|img)[^>]+(?:src|href)=["'](?:https?:)?//[^"']+""")
    texts = {page.name: loaded.findall(page.read_text()) for page in site.rglob("*.html")}

    assert {} == {name: found for name, found in texts.items() if found}


def whole(body: bytes) -> dict[str, str]:
    """The headers of a creation that has all of its upload with it."""
    content_type = "application/offset+octet-stream"
    length = str(len(body))
    return {"Tus-Resumable": "1.0.0", "Upload-Length": length, "Content-Type": content_type}


def commands() -> list[str]:
    """What the guide says to type, in its blocks that are marked to be run."""
    blocks = re.findall(r"<!-- run -->\n```console\n(.*?)```", START.read_text(), flags=re.DOTALL)
    lines = "".join(blocks).replace("\\\n", "").splitlines()
    return [line.removeprefix("$ ") for line in lines]


def test_the_first_five_minutes_go_as_written_beside_other_uploads(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with ServerProcess(tmp_path / "data") as server:
        for body in (b"one", b"another", b"a third", b"a fourth"):
            assert 201 == httpx.post(server.url, content=body, headers=whole(body)).status_code
        script = "\n".join(["set -euo pipefail", *commands()])
        done = subprocess.run(
            ["bash", "-c", script.replace(":1080/", f":{server.port}/")],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    told = done.stdout.splitlines()
    assert 0 == done.returncode, done.stderr
    assert told[0].startswith(server.url)
    assert 1 == len([line for line in told if line.endswith("byte for byte")])
    assert "upload-offset: 3" in told
    assert "hello" == told[-1]
