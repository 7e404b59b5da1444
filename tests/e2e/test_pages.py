"""The pages of examples/ in a real browser: files go up through whatever happens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, expect

from tests.e2e.browser import methods
from tests.e2e.inspection import inspect, stored_digest
from tests.e2e.pages import PlainPage, UploadPage, UppyPage
from tests.e2e.samples import MIB, Sample, write_sample
from tests.e2e.site import Site
from tests.support.proxy import CuttingProxy
from tests.support.server import ServerProcess

pytestmark = pytest.mark.timeout(300)

# Two and a half seconds for a sample: time to be in the middle of it.
SLOW = 20 * MIB


@pytest.fixture(scope="module")
def server(site: Site, data_dir: Path) -> Iterator[ServerProcess]:
    """A server that the site's pages may use."""
    options = ("--durability", "process", "--cors-origin", site.origin)
    with ServerProcess(data_dir, *options) as running:
        yield running


@pytest.fixture(params=[PlainPage, UppyPage], ids=["plain", "uppy"])
def user(
    request: pytest.FixtureRequest, browser: Browser, site: Site, files_url: str
) -> Iterator[UploadPage]:
    """One of the pages, open."""
    with browser.new_context() as context:
        site.endpoint = files_url
        page: UploadPage = request.param(context.new_page(), site)
        page.open()
        yield page


@pytest.fixture
def plain(browser: Browser, site: Site, files_url: str) -> Iterator[PlainPage]:
    """The page that can do what Uppy's does not offer."""
    with browser.new_context() as context:
        site.endpoint = files_url
        page = PlainPage(context.new_page(), site)
        page.open()
        yield page


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return write_sample(tmp_path_factory.mktemp("sample") / "sample.bin", 50 * MIB)


def appends(made: list[Request]) -> list[Request]:
    return [request for request in made if request.method == "PATCH"]


def offset_of(append: Request) -> int:
    return int(append.headers["upload-offset"])


def test_a_file_goes_up_from_a_page_of_another_origin(
    user: UploadPage, files_url: str, sample: Sample
) -> None:
    user.upload(sample)
    links = user.wait_until_uploaded(sample)

    assert ["POST", "PATCH"] == methods(user.made)
    assert not user.page.url.startswith(files_url.removesuffix("files/"))
    assert sample.digest == stored_digest(links["sample.bin"])
    kept = inspect(links["sample.bin"]).metadata
    assert ("sample.bin", "application/octet-stream") == (kept["filename"], kept["filetype"])


def test_the_network_goes_away_and_comes_back(
    user: UploadPage, site: Site, files_url: str, sample: Sample
) -> None:
    with CuttingProxy(files_url, rate=SLOW) as proxy:
        site.endpoint = proxy.url
        user.open()
        user.upload(sample)
        user.wait_for(20)
        user.network.vanish()
        # Told to be offline, Chromium ends no request that is under way.
        proxy.break_all()
        expect(user.outage()).to_be_visible()
        user.network.carry_all()
        links = user.wait_until_uploaded(sample)

        expect(user.outage()).not_to_be_visible()
        assert sample.digest == stored_digest(links["sample.bin"])
    assert 1 == methods(user.made).count("POST")
    assert offset_of(appends(user.made)[-1]) > 0


def test_a_broken_connection_costs_seconds_and_not_ten(
    user: UploadPage, site: Site, files_url: str, sample: Sample
) -> None:
    with CuttingProxy(files_url, rate=2 * MIB) as proxy:
        site.endpoint = proxy.url
        user.open()
        user.upload(sample)
        user.wait_for(10)
        # Before the page hears of it, Chromium sends the same request again, from its beginning.
        with user.page.expect_request(lambda sent: sent.method == "HEAD", timeout=5_000):
            proxy.break_all()
        with user.page.expect_request(lambda sent: sent.method == "PATCH") as resumed:
            pass

    assert offset_of(resumed.value) > 0


def test_the_server_is_killed_and_starts_again(
    user: UploadPage, server: ServerProcess, sample: Sample
) -> None:
    user.network.carry(SLOW)
    user.upload(sample)
    user.wait_for(20)
    server.kill()
    server.start()
    links = user.wait_until_uploaded(sample)

    assert 1 == methods(user.made).count("POST")
    assert offset_of(appends(user.made)[-1]) > 0
    assert sample.digest == stored_digest(links["sample.bin"])


def test_the_tab_is_reloaded_and_the_same_file_goes_on(user: UploadPage, sample: Sample) -> None:
    user.network.carry(SLOW)
    user.upload(sample)
    user.wait_for(30)
    user.reload()
    user.upload(sample)
    links = user.wait_until_uploaded(sample)

    assert ["HEAD", "PATCH"] == methods(user.made)
    assert offset_of(appends(user.made)[0]) > 0
    assert sample.digest == stored_digest(links["sample.bin"])


def test_a_paused_upload_stands_still_until_it_is_resumed(user: UploadPage, sample: Sample) -> None:
    user.network.carry(SLOW)
    user.upload(sample)
    user.wait_for(30)
    with user.page.expect_event("requestfailed") as stopped:
        user.pause()
    held = inspect(stopped.value.url).offset
    user.resume()
    links = user.wait_until_uploaded(sample)

    assert held
    assert [0, held] == [offset_of(append) for append in appends(user.made)]
    assert 1 == methods(user.made).count("POST")
    assert sample.digest == stored_digest(links["sample.bin"])


def test_five_files_go_up_at_once(user: UploadPage, tmp_path: Path) -> None:
    samples = [write_sample(tmp_path / f"{n}.bin", 10 * MIB, seed=n) for n in range(5)]
    happened: list[str] = []
    user.page.on("request", lambda request: happened.append(request.method))
    user.page.on("requestfinished", lambda request: happened.append(f"{request.method} is over"))

    user.network.carry(SLOW)
    user.upload(*samples)
    links = user.wait_until_uploaded(*samples)

    before_any_was_over = happened[: happened.index("PATCH is over")]
    assert 5 == before_any_was_over.count("PATCH")
    assert {sample.path.name: sample.digest for sample in samples} == {
        name: stored_digest(link) for name, link in links.items()
    }


def test_a_file_goes_up_in_parallel_parts(plain: PlainPage, sample: Sample) -> None:
    plain.split(4)
    plain.upload(sample)
    links = plain.wait_until_uploaded(sample)

    concats = [
        made.headers.get("upload-concat", "") for made in plain.made if made.method == "POST"
    ]
    assert ["partial"] * 4 == concats[:4]
    assert [True] == [concat.startswith("final;") for concat in concats[4:]]
    assert 4 == methods(plain.made).count("PATCH")
    assert sample.digest == stored_digest(links["sample.bin"])


def test_parallel_parts_go_on_after_a_reload(plain: PlainPage, sample: Sample) -> None:
    plain.split(4)
    plain.network.carry(SLOW)
    plain.upload(sample)
    plain.wait_for(50)
    plain.reload()
    plain.upload(sample)
    links = plain.wait_until_uploaded(sample)

    assert ["HEAD"] * 4 == [method for method in methods(plain.made) if method == "HEAD"]
    assert 1 == methods(plain.made).count("POST")
    assert min(offset_of(append) for append in appends(plain.made)) > 0
    assert sample.digest == stored_digest(links["sample.bin"])


def test_the_page_remembers_what_was_left_unfinished(plain: PlainPage, sample: Sample) -> None:
    plain.network.carry(SLOW)
    plain.upload(sample)
    plain.wait_for(10)
    plain.reload()
    left = plain.page.locator("#unfinished")
    expect(left.get_by_role("listitem")).to_contain_text("sample.bin, 52.4 MB")

    plain.upload(sample)
    expect(left).to_be_hidden()
    plain.wait_until_uploaded(sample)
    plain.reload()

    expect(left).to_be_hidden()


def test_what_was_left_unfinished_can_be_forgotten(plain: PlainPage, sample: Sample) -> None:
    plain.network.carry(SLOW)
    plain.upload(sample)
    plain.wait_for(10)
    plain.reload()
    left = plain.page.locator("#unfinished")
    plain.page.get_by_role("button", name="Forget: sample.bin").click()
    expect(left).to_be_hidden()

    plain.network.carry_all()
    plain.reload()
    plain.upload(sample)
    plain.wait_until_uploaded(sample)

    expect(left).to_be_hidden()
    assert ["POST", "PATCH"] == methods(plain.made)


def test_a_file_that_is_taken_for_another_is_not_dropped_without_a_word(
    plain: PlainPage, sample: Sample
) -> None:
    plain.network.carry(SLOW)
    plain.upload(sample)
    plain.upload(sample)

    told = "sample.bin is in the list already: it has the same size and date."
    expect(plain.notice()).to_have_text(told)
    assert sample.digest == stored_digest(plain.wait_until_uploaded(sample)["sample.bin"])


def test_who_does_not_see_the_page_hears_what_happens_and_not_each_percent(
    plain: PlainPage, sample: Sample
) -> None:
    plain.network.carry(SLOW)
    plain.upload(sample)
    plain.wait_for(10)
    pause = plain.page.get_by_role("button", name="Pause: sample.bin")
    read_out = plain.page.locator("#transfers").get_by_role("status")

    expect(pause).to_be_visible()
    expect(plain.page.locator(".percent")).to_have_text(re.compile(r"^\d+ %$"))
    expect(read_out).to_have_text("")
    plain.wait_until_uploaded(sample)
    expect(read_out).to_have_text("Uploaded")


@pytest.mark.parametrize(
    ("length", "told"), [(1, "1 byte"), (999, "999 bytes"), (2_500, "2.5 kB"), (MIB, "1.0 MB")]
)
def test_a_size_is_told_in_the_unit_that_fits(
    plain: PlainPage, tmp_path: Path, length: int, told: str
) -> None:
    small = write_sample(tmp_path / "small.bin", length)
    plain.upload(small)
    plain.wait_until_uploaded(small)

    expect(plain.page.locator(".size")).to_have_text(told)


def test_a_page_without_its_client_says_what_to_do(plain: PlainPage) -> None:
    plain.page.route("**/tus.min.js", lambda route: route.abort())
    plain.open()

    expect(plain.notice()).to_contain_text('run "npm ci"')
    expect(plain.page.locator("#files")).to_be_disabled()
