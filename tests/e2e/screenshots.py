"""Takes the pictures of docs/images: ``python -m tests.e2e.screenshots``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.docs.pictures import IMAGES, TAKEN_OF, sources
from tests.e2e.browser import chromium
from tests.e2e.pages import PATIENCE, PlainPage, UploadPage, UppyPage
from tests.e2e.samples import MIB, Sample, write_sample
from tests.e2e.site import Site, plain_page, uppy_page
from tests.support.server import ServerProcess

SIZE: ViewportSize = {"width": 760, "height": 530}
SCALE = 1.5
RATE = 12 * MIB
PLAIN_FILES = {"thesis.pdf": 5 * MIB, "backup.tar.gz": 30 * MIB, "holiday.mp4": 45 * MIB}
UPPY_FILES = {"interview.mp3": 15 * MIB, **PLAIN_FILES}

Kind = TypeVar("Kind", bound=UploadPage)


def main() -> None:
    """Take all of them, and note of what."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _pages(Path(folder)) as (browser, site):
        samples = {name: write_sample(Path(folder) / name, UPPY_FILES[name]) for name in UPPY_FILES}
        _take_plain(browser, site, [samples[name] for name in PLAIN_FILES])
        _take_uppy(browser, site, [samples[name] for name in UPPY_FILES])
    TAKEN_OF.write_text(sources())


def _take_plain(browser: Browser, site: Site, samples: list[Sample]) -> None:
    with _opened(PlainPage, browser, site) as user:
        user.network.carry(RATE)
        user.upload(*samples)
        expect(user.in_state("done")).to_have_count(1, timeout=PATIENCE)
        user.page.get_by_role("listitem").filter(has_text="backup").get_by_role("button").click()
        far = "[...document.querySelectorAll('progress')].at(-1).value > 0.6"
        user.page.wait_for_function(far, timeout=PATIENCE)
        _take(user.page, "tus-js-client-uploading")
        user.resume()
        user.wait_until_uploaded(*samples)
        _take(user.page, "tus-js-client-uploaded")


def _take_uppy(browser: Browser, site: Site, samples: list[Sample]) -> None:
    with _opened(UppyPage, browser, site) as user:
        user.network.carry(RATE)
        user.upload(*samples)
        user.wait_for(60)
        _take(user.page, "uppy-uploading")
        user.wait_until_uploaded(*samples)
        _take(user.page, "uppy-uploaded")


@contextmanager
def _pages(folder: Path) -> Iterator[tuple[Browser, Site]]:
    (folder / PlainPage.folder).symlink_to(plain_page())
    (folder / UppyPage.folder).symlink_to(uppy_page())
    with (
        Site(folder) as site,
        ServerProcess(folder / "data", "--cors-origin", site.origin) as server,
        chromium() as browser,
    ):
        site.endpoint = server.url
        yield browser, site


@contextmanager
def _opened(kind: type[Kind], browser: Browser, site: Site) -> Iterator[Kind]:
    with browser.new_context(viewport=SIZE, device_scale_factor=SCALE) as context:
        page = kind(context.new_page(), site)
        page.open()
        yield page


def _take(page: Page, name: str) -> None:
    # Where the pointer is, a button would look different.
    page.mouse.move(0, 0)
    page.screenshot(path=IMAGES / f"{name}.png", full_page=True, animations="disabled")


if __name__ == "__main__":
    main()
