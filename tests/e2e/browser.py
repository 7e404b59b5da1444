"""A real browser, driven from the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.support.tools import require_tool

# A container has neither what its sandbox needs nor a user who could click on "play".
_FLAGS = ("--no-sandbox", "--autoplay-policy=no-user-gesture-required")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    path = require_tool("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_FLAGS])
        try:
            yield browser
        finally:
            browser.close()


def requests_of(page: Page) -> list[Request]:
    """The requests of the page from now on, as they are made."""
    made: list[Request] = []
    # Playwright wants a function that it can hang attributes on.
    page.on("request", lambda request: made.append(request))  # noqa: PLW0108
    return made


def methods(made: list[Request]) -> list[str]:
    """What was asked of uploads, in that order."""
    return [request.method for request in made if "/files/" in request.url]


class Network:
    """The network of a page, as Chromium emulates it."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def carry(self, rate: int) -> None:
        """Let so many bytes a second go up."""
        self._emulate(uploadThroughput=rate)

    def carry_all(self) -> None:
        """Let bytes go up as fast as they can."""
        self._emulate()

    def vanish(self) -> None:
        """Be offline: what is under way breaks, and the browser knows it."""
        self._emulate(offline=True)

    def _emulate(self, **conditions: object) -> None:
        usual = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self._session.send("Network.emulateNetworkConditions", {**usual, **conditions})
