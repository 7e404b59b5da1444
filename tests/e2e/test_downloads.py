"""Downloads as curl and a browser ask for them: parts, parts at once, and what is left."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import time
from base64 import b64encode
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response

from tests.e2e.counting_client import CountingClient, create_upload
from tests.e2e.samples import MIB, write_sample
from tests.support.tools import require_tool, run_tool

pytestmark = pytest.mark.timeout(300)

PATIENCE = 30.0
PARTIAL = 206
SECONDS = 90
# The state of a player that can show what is at its position.
HAVE_CURRENT_DATA = 2

SEEK = """
async (seconds) => {
    const video = document.querySelector('video')
    const happened = (event) => new Promise((resolve, reject) => {
        video.addEventListener(event, resolve, { once: true })
        video.addEventListener('error', () => reject(new Error(video.error.message)))
    })
    if (video.readyState < 1) await happened('loadedmetadata')
    const seeked = happened('seeked')
    video.currentTime = seconds
    await seeked
    return [video.currentTime, video.readyState, video.videoWidth, video.duration]
}
"""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that is much longer than what a player fetches ahead: noise cannot be compressed."""
    path = tmp_path_factory.mktemp("video") / "noise.webm"
    picture = f"color=gray:size=320x180:rate=10:duration={SECONDS},noise=alls=100:allf=t"
    run_tool(
        [
            *(require_tool("ffmpeg"), "-loglevel", "error", "-f", "lavfi", "-i", picture),
            *("-c:v", "libvpx", "-b:v", "6M", "-minrate", "6M", "-g", "10"),
            *("-deadline", "realtime", "-cpu-used", "16", str(path)),
        ],
        cwd=path.parent,
    )
    return path


def uploaded(files_url: str, file: Path, **metadata: str) -> str:
    """Upload a file; gives its URL."""
    pairs = (f"{key} {b64encode(value.encode()).decode()}" for key, value in metadata.items())
    url = create_upload(files_url, file.stat().st_size, metadata=",".join(pairs))
    CountingClient(files_url, file, most_attempts=1).resume(url)
    return url


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def wait_for_bytes(path: Path, size: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists() or path.stat().st_size < size:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def parts_of(page: Page) -> list[float]:
    """Where the parts begin that the page is sent from now on, from 0 for the start to 1."""
    starts: list[float] = []

    def note(response: Response) -> None:
        if response.status == PARTIAL:
            part, _, size = response.headers["content-range"].removeprefix("bytes ").partition("/")
            starts.append(int(part.partition("-")[0]) / int(size))

    page.on("response", note)
    return starts


def test_a_download_that_was_killed_goes_on(files_url: str, tmp_path: Path) -> None:
    curl = require_tool("curl")
    sample = write_sample(tmp_path / "sample.bin", 32 * MIB)
    url = uploaded(files_url, sample.path)
    got = tmp_path / "got.bin"
    fetch = [curl, "--silent", "--show-error", "--output", str(got)]

    killed = subprocess.Popen([*fetch, "--limit-rate", "8M", url])
    wait_for_bytes(got, MIB)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    before = got.stat().st_size
    told = "%{http_code} %{size_download}"
    rest = run_tool([*fetch, "--continue-at", "-", "--write-out", told, url], cwd=tmp_path)

    assert MIB <= before < sample.length
    assert f"206 {sample.length - before}" == rest
    assert sample.digest == digest_of(got)
    # Of what is whole there is nothing left, which is no failure.
    again = run_tool([*fetch, "--continue-at", "-", "--write-out", told, url], cwd=tmp_path)
    assert again.startswith("416 ")
    assert sample.digest == digest_of(got)


def test_eight_parts_at_once_are_the_whole(files_url: str, tmp_path: Path) -> None:
    fetch = [require_tool("curl"), "--silent", "--fail", "--output"]
    sample = write_sample(tmp_path / "sample.bin", 256 * MIB)
    url = uploaded(files_url, sample.path)
    size = sample.length // 8

    parts = [
        subprocess.Popen(
            [*fetch, str(tmp_path / f"part{n}"), "--range", f"{n * size}-{(n + 1) * size - 1}", url]
        )
        for n in range(8)
    ]

    assert [0] * 8 == [part.wait(PATIENCE) for part in parts]
    digest = hashlib.sha256()
    for n in range(8):
        digest.update((tmp_path / f"part{n}").read_bytes())
    assert sample.digest == digest.hexdigest()


def test_a_video_is_wound_forward_and_back(browser: Browser, files_url: str, video: Path) -> None:
    url = uploaded(files_url, video, filetype="video/webm", filename="noise.webm")
    page = browser.new_page()
    starts = parts_of(page)
    page.set_content(f'<video src="{url}" preload="metadata" muted></video>')

    for seconds in (SECONDS - 10, 5, SECONDS // 2):
        at, state, width, duration = page.evaluate(SEEK, seconds)
        assert (seconds, 320) == (at, width)
        assert state >= HAVE_CURRENT_DATA
        assert abs(duration - SECONDS) < 1
    page.close()

    # It begins at the start, and jumped ahead to what was asked for.
    assert min(starts) == 0
    assert any(0.8 < start < 0.95 for start in starts), starts


def test_a_page_is_saved_under_its_name_and_runs_no_script(
    browser: Browser, files_url: str, tmp_path: Path
) -> None:
    evil = tmp_path / "evil.html"
    evil.write_text("<script>document.title = 'run'</script>")
    url = uploaded(files_url, evil, filetype="text/html", filename="Грусть.html")
    page = browser.new_page()

    with page.expect_download() as saved, pytest.raises(Exception, match="Download is starting"):
        page.goto(url)

    assert "Грусть.html" == saved.value.suggested_filename
    assert "" == page.title()
    page.close()


def test_a_text_is_shown_as_one(browser: Browser, files_url: str, tmp_path: Path) -> None:
    text = tmp_path / "page.txt"
    text.write_text("<script>document.title = 'run'</script>")
    url = uploaded(files_url, text, filetype="text/plain", filename="page.txt")
    page = browser.new_page()

    response = page.goto(url)

    assert response is not None
    assert "sandbox" == response.headers["content-security-policy"]
    assert text.read_text() == page.inner_text("body")
    assert "" == page.title()
    page.close()
