"""The example with grants in a real browser: its page, tus-js-client, connections that break."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import methods, requests_of
from tests.e2e.samples import MIB, Sample, write_sample
from tests.e2e.tus_js import installed
from tests.support.proxy import CuttingProxy, Ending
from tests.support.server import HOST, ServerProcess
from tests.support.tools import run_tool

pytestmark = pytest.mark.timeout(300)

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 60_000.0


class Example(ServerProcess):
    """The example, served by uvicorn as its text says."""

    def command(self) -> list[str]:
        run = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "fastapi_grants:app"]
        return [*run, "--host", HOST, "--port", str(self.port)]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The example, with its keys and the client."""
    (tmp_path / "node_modules").symlink_to(installed() / "node_modules")
    keys = [sys.executable, "-m", "tusd_py", "keys", "new", "--file", "keys.toml"]
    run_tool(keys, cwd=tmp_path)
    with Example(tmp_path / "data", cwd=tmp_path) as server:
        yield f"http://{HOST}:{server.port}/"
        print(server.log())  # noqa: T201 - a test that fails shows it


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return write_sample(tmp_path / "sample.bin", 8 * MIB)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def stored(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in (folder / "data/files").rglob("*") if file.is_file()]


def choose(page: Page, sample: Sample) -> None:
    page.set_input_files("#file", sample.path)


def wait_until_uploaded(page: Page) -> None:
    expect(page.locator("#state")).to_have_text("sample.bin is uploaded.", timeout=PATIENCE)


def test_a_file_is_uploaded_with_a_grant(
    page: Page, url: str, sample: Sample, tmp_path: Path
) -> None:
    made = requests_of(page)
    page.goto(url)
    choose(page, sample)
    wait_until_uploaded(page)

    assert ["POST", "PATCH"] == methods(made)
    asked = next(request for request in made if request.url.endswith("/grants"))
    assert made.index(asked) < next(n for n, each in enumerate(made) if "/files/" in each.url)
    assert [sample.path.read_bytes()] == stored(tmp_path)


def test_a_connection_breaks_and_the_upload_goes_on(
    page: Page, url: str, sample: Sample, tmp_path: Path
) -> None:
    made = requests_of(page)
    with CuttingProxy(url, [3 * MIB], endings=[Ending.RESET]) as proxy:
        page.goto(proxy.url)
        choose(page, sample)
        wait_until_uploaded(page)

    assert 1 == len(proxy.cuts)
    assert ["POST", "PATCH", "HEAD", "PATCH"] == methods(made)
    assert [sample.path.read_bytes()] == stored(tmp_path)


def test_a_page_that_was_left_goes_on_with_the_url_alone(
    page: Page, url: str, sample: Sample, tmp_path: Path
) -> None:
    with CuttingProxy(url, rate=2 * MIB) as proxy:
        page.goto(proxy.url)
        choose(page, sample)
        page.wait_for_function("document.getElementById('progress').value > 0.3")
        page.reload()
        made = requests_of(page)
        choose(page, sample)
        wait_until_uploaded(page)

    # Nobody is asked for another grant.
    assert ["HEAD", "PATCH"] == methods(made)
    assert not [request for request in made if request.url.endswith("/grants")]
    assert [sample.path.read_bytes()] == stored(tmp_path)


def test_a_grant_that_did_not_come_is_asked_for_again(
    page: Page, url: str, sample: Sample, tmp_path: Path
) -> None:
    page.route("**/grants", lambda route: route.fulfill(status=503), times=1)
    made = requests_of(page)
    page.goto(url)
    choose(page, sample)
    wait_until_uploaded(page)

    assert 2 == len([request for request in made if request.url.endswith("/grants")])
    assert ["POST", "PATCH"] == methods(made)
    assert [sample.path.read_bytes()] == stored(tmp_path)


def test_who_was_refused_a_grant_can_choose_the_same_file_again(
    page: Page, url: str, sample: Sample, tmp_path: Path
) -> None:
    page.route("**/grants", lambda route: route.fulfill(status=403), times=1)
    made = requests_of(page)
    page.goto(url)
    choose(page, sample)
    expect(page.locator("#state")).to_have_text("You may not upload this file.")
    expect(page.locator("#file")).to_have_value("")

    assert [] == methods(made)
    choose(page, sample)
    wait_until_uploaded(page)
    assert [sample.path.read_bytes()] == stored(tmp_path)
