"""The pages of examples/ as their users see and use them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import Network, requests_of
from tests.e2e.samples import Sample
from tests.e2e.site import Site

PATIENCE = 60_000.0


class UploadPage(ABC):
    """One of the pages, open in a tab.

    `made` are the requests that it has made since it was opened, or opened again.
    """

    folder: str

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.network = Network(page)
        self.made = requests_of(page)
        self._site = site

    def open(self) -> None:
        self.page.goto(f"{self._site.origin}/{self.folder}/")

    def reload(self) -> None:
        self.page.reload()
        self.made.clear()

    @abstractmethod
    def upload(self, *samples: Sample) -> None:
        """Choose the files, and do what else it takes to start their uploads."""

    @abstractmethod
    def wait_for(self, percent: int) -> None:
        """Wait until the only upload, or all together, got so far."""

    @abstractmethod
    def pause(self) -> None:
        """Pause the only upload, and wait until the page says so."""

    @abstractmethod
    def resume(self) -> None: ...

    @abstractmethod
    def wait_until_uploaded(self, *samples: Sample) -> dict[str, str]:
        """Wait until the page says so; gives the link behind each file's name."""

    @abstractmethod
    def outage(self) -> Locator:
        """Where the page says that there is no network."""

    @abstractmethod
    def given_up(self) -> Locator:
        """Where the page says that the only file is not uploaded, and will not be."""

    @abstractmethod
    def refusal(self) -> str:
        """What the page says about the only file, once it has given it up."""


class PlainPage(UploadPage):
    """tus-js-client alone."""

    folder = "plain"

    def upload(self, *samples: Sample) -> None:
        self.page.set_input_files("#files", [sample.path for sample in samples])

    def split(self, parts: int) -> None:
        """Choose in how many parallel parts files go up."""
        self.page.select_option("#parts", str(parts))

    def wait_for(self, percent: int) -> None:
        reached = "part => document.querySelector('progress').value > part"
        self.page.wait_for_function(reached, arg=percent / 100, timeout=PATIENCE)

    def pause(self) -> None:
        self.page.get_by_role("button", name="Pause").click()
        expect(self.in_state("paused")).to_be_visible()

    def resume(self) -> None:
        self.page.get_by_role("button", name="Resume").click()

    def wait_until_uploaded(self, *samples: Sample) -> dict[str, str]:
        expect(self.in_state("done")).to_have_count(len(samples), timeout=PATIENCE)
        return {
            sample.path.name: self.page.get_by_role("link", name=sample.path.name).get_attribute(
                "href"
            )
            or ""
            for sample in samples
        }

    def outage(self) -> Locator:
        return self.page.get_by_text("No network. It goes on by itself when there is one.")

    def given_up(self) -> Locator:
        return self.in_state("failed")

    def refusal(self) -> str:
        expect(self.given_up()).to_be_visible(timeout=PATIENCE)
        return self.given_up().locator(".message").inner_text()

    def notice(self) -> Locator:
        """Where the page says what is not about one of the files that it shows."""
        return self.page.locator("#notice")

    def in_state(self, state: str) -> Locator:
        """The files of which the page says so."""
        return self.page.locator(f".transfer[data-state={state}]")


class UppyPage(UploadPage):
    """Uppy's Dashboard."""

    folder = "uppy"

    def upload(self, *samples: Sample) -> None:
        files = [sample.path for sample in samples]
        self.page.set_input_files(".uppy-Dashboard-input >> nth=0", files)
        self.page.get_by_role("button", name="Upload").click()

    def wait_for(self, percent: int) -> None:
        reached = """percent => {
            const bar = document.querySelector('.uppy-StatusBar-progress')
            return bar && Number(bar.ariaValueNow) > percent
        }"""
        self.page.wait_for_function(reached, arg=percent, timeout=PATIENCE)

    def pause(self) -> None:
        self.page.get_by_role("button", name="Pause", exact=True).click()
        expect(self.page.locator(".uppy-StatusBar-statusPrimary")).to_contain_text("Paused")

    def resume(self) -> None:
        self.page.get_by_role("button", name="Resume", exact=True).click()

    def wait_until_uploaded(self, *samples: Sample) -> dict[str, str]:
        expect(self.page.locator(".uppy-StatusBar.is-complete")).to_be_visible(timeout=PATIENCE)
        return {sample.path.name: self._link(sample) for sample in samples}

    def outage(self) -> Locator:
        return self.page.get_by_text("No Internet connection").first

    def given_up(self) -> Locator:
        return self.page.locator(".uppy-Dashboard-Item-errorDetails")

    def refusal(self) -> str:
        expect(self.given_up()).to_be_visible(timeout=PATIENCE)
        return self.given_up().get_attribute("aria-label") or ""

    def _link(self, sample: Sample) -> str:
        item = self.page.locator(".uppy-Dashboard-Item").filter(has_text=sample.path.name)
        return item.locator("a").first.get_attribute("href") or ""
