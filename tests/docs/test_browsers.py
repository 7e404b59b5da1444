"""The guide to browsers shows the examples as they are."""

import json
import re
from pathlib import Path

import pytest

from tests.docs import pictures
from tests.support.tools import files_of
from tusd_py.cli.settings import SETTINGS

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/browsers.md").read_text()
PAGES = [ROOT / "examples/tus-js-client", ROOT / "examples/uppy"]
MOST_BYTES = 150_000

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def test_the_code_in_the_guide_is_that_of_the_pages() -> None:
    blocks = re.findall(r"```js\n(.*?)```", GUIDE, flags=re.DOTALL)
    sources = [file.read_text() for page in PAGES for file in files_of(page)]

    assert 5 == len(blocks)
    assert [] == [block for block in blocks if not any(block in source for source in sources)]


def test_the_sentences_in_the_guide_are_those_of_the_pages() -> None:
    told = re.findall(r'\| "(.*?)" \|', GUIDE)
    sources = "".join(file.read_text() for page in PAGES for file in files_of(page))
    theirs = [sentence for sentence in told if sentence in sources]
    servers = [sentence for sentence in told if sentence not in sources]

    assert 3 == len(theirs)
    tests = (ROOT / "tests/e2e/test_refused_pages.py").read_text().replace("{MIB}", "1048576")
    assert [] == [sentence for sentence in servers if sentence not in tests]


@each_page
def test_the_server_that_a_page_is_for_can_be_started_so(page: Path) -> None:
    variables = set(re.findall(r"\bTUSD_PY_[A-Z_]+", (page / "README.md").read_text()))

    assert variables
    assert set() == variables - {setting.variable for setting in SETTINGS}


@each_page
def test_a_page_comes_with_exact_versions_and_no_registry(page: Path) -> None:
    package = json.loads((page / "package.json").read_text())
    lock = (page / "package-lock.json").read_text()
    versions = {**package["dependencies"], **package.get("devDependencies", {})}

    assert [] == [name for name in versions if not re.fullmatch(r"[0-9.]+", versions[name])]
    assert json.loads(lock)["packages"][""]["dependencies"] == package["dependencies"]
    assert '"resolved"' not in lock


@each_page
def test_a_page_takes_nothing_from_elsewhere(page: Path) -> None:
    taken = [
        found
        for file in files_of(page)
        if file.suffix in {".html", ".css", ".js"}
        for found in re.findall(r"https?://[^\s\"'<]+", file.read_text())
    ]

    assert ["http://127.0.0.1:1080/files/"] == taken


def test_the_pictures_are_of_these_pages() -> None:
    assert pictures.sources() == pictures.TAKEN_OF.read_text(), "make screenshots"


def test_every_picture_is_small_and_shown() -> None:
    found = sorted(pictures.IMAGES.glob("*.png"))
    texts = [GUIDE, (ROOT / "README.md").read_text()]

    assert [] == [file.name for file in found if file.stat().st_size > MOST_BYTES]
    assert [] == [file.name for file in found if not any(file.name in text for text in texts)]
