"""What the users of the pages are told when a server does not take their files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser import methods
from tests.e2e.granting import Granting, granting_server
from tests.e2e.inspection import stored_digest
from tests.e2e.pages import PlainPage, UploadPage, UppyPage
from tests.e2e.samples import MIB, Sample, write_sample
from tests.e2e.site import Site
from tests.support.server import ServerProcess

pytestmark = pytest.mark.timeout(300)

UNREACHABLE = "The server cannot be reached, or does not let this page in."
# The longest of the pauses after which the pages try again, in milliseconds, and all attempts.
LONGEST_PAUSE = 30_000
ATTEMPTS = 10
# Seconds of a real clock for that.
GIVE_UP = 60.0


@pytest.fixture(params=[PlainPage, UppyPage], ids=["plain", "uppy"])
def user(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[UploadPage]:
    """One of the pages; a test opens it when the site is set up."""
    with browser.new_context() as context:
        page: UploadPage = request.param(context.new_page(), site)
        yield page
        site.give_grant = None


@pytest.fixture(scope="module")
def granting(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Granting]:
    """A server that asks the users of the pages for grants."""
    with granting_server(tmp_path_factory.mktemp("granting"), "--cors-origin", site.origin) as it:
        yield it


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return write_sample(tmp_path / "sample.bin", 2 * MIB)


@contextmanager
def serving(site: Site, folder: Path, *options: str) -> Iterator[None]:
    """A server of one's own, which the pages are set up for."""
    with ServerProcess(folder / "data", "--durability", "process", *options) as server:
        site.endpoint = server.url
        yield


def test_a_page_with_grants_uploads(
    user: UploadPage, site: Site, granting: Granting, sample: Sample
) -> None:
    asked: list[int] = []

    def give(length: int) -> str:
        asked.append(length)
        return granting.grant(length=length, max_length=None)

    site.endpoint, site.give_grant = granting.url, give
    user.open()
    user.upload(sample)
    links = user.wait_until_uploaded(sample)

    assert [sample.length] == asked
    assert ["POST", "PATCH"] == methods(user.made)
    authorized = [request.method for request in user.made if "authorization" in request.headers]
    assert ["POST"] == authorized
    assert sample.digest == stored_digest(links["sample.bin"])


def test_who_gets_no_grant_is_told_at_once(
    user: UploadPage, site: Site, granting: Granting, sample: Sample
) -> None:
    site.endpoint, site.give_grant = granting.url, lambda _: None
    user.open()
    user.upload(sample)

    assert "You may not upload this file." == user.refusal()
    assert [] == methods(user.made)
    assert 1 == len([request for request in user.made if request.url.endswith("/grants")])


def test_a_grant_for_something_else_is_explained(
    user: UploadPage, site: Site, granting: Granting, sample: Sample
) -> None:
    site.endpoint = granting.url
    site.give_grant = lambda length: granting.grant(length=length + 1, max_length=None)
    user.open()
    user.upload(sample)

    assert "The grant is for an upload of another length." == user.refusal()
    assert ["POST"] == methods(user.made)


def test_a_file_that_is_too_large_is_explained(
    user: UploadPage, site: Site, sample: Sample, tmp_path: Path
) -> None:
    with serving(site, tmp_path, "--cors-origin", site.origin, "--max-size", str(MIB)):
        user.open()
        user.upload(sample)
        problem = user.refusal()

    assert f"An upload is limited to {MIB} bytes." == problem
    assert ["POST"] == methods(user.made)


def test_parts_that_are_too_large_together_are_not_offered_again(
    browser: Browser, site: Site, sample: Sample, tmp_path: Path
) -> None:
    with (
        browser.new_context() as context,
        serving(site, tmp_path, "--cors-origin", site.origin, "--max-size", "1500KiB"),
    ):
        plain = PlainPage(context.new_page(), site)
        plain.open()
        plain.split(2)
        plain.upload(sample)
        problem = plain.refusal()
        plain.page.wait_for_function("() => localStorage.length === 0")
        plain.reload()
        expect(plain.page.locator("#unfinished")).to_be_hidden()

    assert "An upload is limited to 1536000 bytes." == problem


@pytest.mark.parametrize("allowed", [(), ("--cors-origin", "https://other.example")])
def test_a_page_that_is_not_let_in_says_so_in_the_end(
    user: UploadPage, site: Site, sample: Sample, tmp_path: Path, allowed: tuple[str, ...]
) -> None:
    with serving(site, tmp_path, *allowed):
        user.page.clock.install()
        user.open()
        user.upload(sample)
        deadline = time.monotonic() + GIVE_UP
        while not user.given_up().is_visible():
            assert time.monotonic() < deadline
            user.page.clock.run_for(LONGEST_PAUSE)
        problem = user.refusal()

    assert UNREACHABLE == problem
    assert ["POST"] * ATTEMPTS == methods(user.made)
    assert [] == [file for file in (tmp_path / "data/files").rglob("*") if file.is_file()]


def test_a_page_that_waits_for_the_server_says_so(
    browser: Browser, site: Site, sample: Sample, tmp_path: Path
) -> None:
    with browser.new_context() as context, serving(site, tmp_path):
        plain = PlainPage(context.new_page(), site)
        plain.open()
        plain.upload(sample)
        waiting = plain.in_state("retrying").locator(".message")
        expect(waiting).to_have_text(f"{UNREACHABLE} Trying again.")


def test_a_file_that_failed_can_be_chosen_again(
    browser: Browser, site: Site, granting: Granting, sample: Sample
) -> None:
    with browser.new_context() as context:
        plain = PlainPage(context.new_page(), site)
        site.endpoint, site.give_grant = granting.url, lambda _: None
        plain.open()
        plain.upload(sample)
        expect(plain.given_up()).to_be_visible()

        site.give_grant = lambda length: granting.grant(length=length, max_length=None)
        plain.upload(sample)
        links = plain.wait_until_uploaded(sample)

        expect(plain.page.locator(".transfer")).to_have_count(1)
        site.give_grant = None
    assert sample.digest == stored_digest(links["sample.bin"])
