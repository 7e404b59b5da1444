"""A real server for real clients, and the folder's marks."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import chromium
from tests.e2e.granting import Granting, granting_server
from tests.e2e.pages import PlainPage, UppyPage
from tests.e2e.site import Site, plain_page, uppy_page
from tests.support.server import ServerProcess

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, so that no module can forget to."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for a server's data; it is removed at once, for uploads are large."""
    folder = tmp_path_factory.mktemp("server")
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server(data_dir: Path) -> Iterator[ServerProcess]:
    """One server for all tests of a module: each of them has uploads of its own."""
    options = ("--durability", "process", "--max-size", "10GB", "--expire-after", "24h")
    with ServerProcess(data_dir, *options) as running:
        yield running


@pytest.fixture
def files_url(server: ServerProcess) -> Iterator[str]:
    """The URL to create uploads at; a test that fails shows what the server wrote meanwhile."""
    start = server.log_size()
    yield server.url
    sys.stdout.write(server.log(since=start))


@pytest.fixture(scope="module")
def granting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Granting]:
    """One server that asks for grants, for all tests of a module."""
    folder = tmp_path_factory.mktemp("granting")
    with granting_server(folder) as granting:
        yield granting
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a module, for as long as it runs no test can have a loop."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages of the examples, on an origin of their own."""
    folder = tmp_path_factory.mktemp("site")
    (folder / PlainPage.folder).symlink_to(plain_page())
    (folder / UppyPage.folder).symlink_to(uppy_page())
    with Site(folder) as site:
        yield site
