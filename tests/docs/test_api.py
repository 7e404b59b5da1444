"""The page of the public API has all of it, and nothing else."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

from tusd_py import MemoryMetadata, MemoryStorage, TusApp, errors
from tusd_py.metrics.shared import shared_meters
from tusd_py.serving.protocol import protocol_class

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/api.md").read_text()
_SECTION = re.compile(r"^### `([\w.]+)`\n\n.*?\n\n(.*?)\n(?:\n|\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(_SECTION.findall(PAGE))


@pytest.mark.parametrize("module", SECTIONS)
def test_the_page_names_what_a_module_exports(module: str) -> None:
    named = re.findall(r"`(\w+)`", SECTIONS[module])
    assert sorted(importlib.import_module(module).__all__) == sorted(named)


def test_the_page_has_every_module_that_people_import() -> None:
    text = "".join(
        page.read_text()
        for pattern in ("README.md", "docs/guides/*.md", "examples/**/*.py")
        for page in ROOT.glob(pattern)
    )
    imported = set(re.findall(r"^\s*from (tusd_py[\w.]*) import", text, flags=re.MULTILINE))
    assert {"tusd_py", "tusd_py.auth", "tusd_py.client"} <= imported & set(SECTIONS)
    assert set() == {module for module in imported if f"`{module}`" not in PAGE}


def test_the_page_has_every_class_that_the_guides_name() -> None:
    defined = {
        node.name
        for path in (ROOT / "tusd_py").rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    }
    guides = "".join(guide.read_text() for guide in (ROOT / "docs/guides").glob("*.md"))
    named = set(re.findall(r"`(?:\w+\.)*([A-Z]\w+)`", guides))
    promised = {name for names in SECTIONS.values() for name in re.findall(r"`(\w+)`", names)}
    assert "DirectSink" in named & promised
    assert set() == named & defined - promised - set(vars(errors))


def test_the_page_has_what_an_application_is_given() -> None:
    tus = TusApp(storage=MemoryStorage(), metadata=MemoryMetadata())
    assert f"`{type(tus.uploads).__name__}`" in SECTIONS["tusd_py.uploads"]


@pytest.mark.parametrize("function", [protocol_class, shared_meters])
def test_functions_that_the_page_names_are_where_it_says(function: object) -> None:
    name = getattr(function, "__name__", "")
    module = inspect.getmodule(function)
    assert module
    assert f"| `{module.__name__}` | `{name}`" in PAGE


def test_the_policy_is_in_the_readme() -> None:
    assert "docs/reference/api.md" in (ROOT / "README.md").read_text()
