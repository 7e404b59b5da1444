"""The documents say what is so."""

import ast
import inspect
import itertools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import tusd_py
from tests.docs import reference
from tusd_py import config, errors
from tusd_py.cli.settings import SETTINGS
from tusd_py.metrics import table

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tusd_py"
LOGGING = re.compile(r"log\.(?:debug|info|warning|error|exception|critical)\b")
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
PAGES += sorted((ROOT / "examples").rglob("README.md"))


def test_the_page_of_settings_is_up_to_date() -> None:
    assert reference.settings_page() == reference.SETTINGS_PAGE.read_text(), "make reference"


def test_the_page_of_errors_is_up_to_date() -> None:
    assert reference.errors_page() == reference.ERRORS_PAGE.read_text(), "make reference"


def test_the_page_of_metrics_is_up_to_date() -> None:
    assert reference.metrics_page() == reference.METRICS_PAGE.read_text(), "make reference"


def test_the_page_of_commands_is_up_to_date() -> None:
    assert reference.commands_page() == reference.COMMANDS_PAGE.read_text(), "make reference"


def test_the_page_of_log_events_has_all_that_there_are() -> None:
    page = (ROOT / "docs/reference/logs.md").read_text()
    rows = re.findall(r"^\| (`.*?) \| (?:[a-z, ]+) \|", page, flags=re.MULTILINE)
    documented = {event for row in rows for event in re.findall(r"`([^`]+)`", row)}

    assert documented == {event for path in PACKAGE.rglob("*.py") for event in logged_in(path)}


def logged_in(path: Path) -> Iterator[str]:
    """The events that a module logs."""
    for call in ast.walk(ast.parse(path.read_text())):
        if isinstance(call, ast.Call) and LOGGING.search(ast.unparse(call.func)):
            parts = [part for part in ast.walk(call.args[0]) if isinstance(part, ast.Constant)]
            texts = [part.value for part in parts if isinstance(part.value, str)]
            events = [text for text in texts if "." in text or len(texts) == 1]
            assert events, f"{path}:{call.lineno}: an event that is no text"
            yield from events


def test_the_alerts_watch_metrics_that_there_are() -> None:
    page = reference.metrics_page()
    alerts = (ROOT / "examples/prometheus/alerts.yml").read_text()
    known = set(re.findall(r"`(tusd_py_[a-z_]+)`", page))
    assert set() == set(re.findall(r"\btusd_py_[a-z_]+", alerts)) - known
    assert set() == set(re.findall(r'code="([a-z-]+)"', alerts)) - set(table.codes())


def test_every_setting_is_documented() -> None:
    page = reference.settings_page()
    undocumented = [
        setting.name
        for setting in SETTINGS
        if not re.fullmatch(r"[A-Z].*\.", setting.effect) or f"| `{setting.name}` |" not in page
    ]
    assert [] == undocumented


@pytest.mark.parametrize("kind", ["Cors", "Config", "Settings"])
def test_every_attribute_of_the_settings_says_what_it_does(kind: str) -> None:
    (found,) = ast.parse(inspect.getsource(getattr(config, kind))).body
    assert isinstance(found, ast.ClassDef)
    undocumented = [
        ast.unparse(attribute)
        for attribute, following in itertools.pairwise(found.body)
        if isinstance(attribute, ast.AnnAssign)
        and not (isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant))
    ]
    assert [] == undocumented


def test_every_code_that_a_client_can_meet_is_documented() -> None:
    internal = {errors.ProtocolError, errors.UploadExists, errors.SchemaTooNew, errors.ConfigError}
    classes = {
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, errors.TusError)
    }
    page = reference.errors_page()
    missing = {kind.__name__ for kind in classes - internal if f"`{kind.code}`" not in page}
    assert set() == missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [] == [link for link in links if not (page.parent / link).exists()]


def test_the_readme_embeds_as_the_example_does() -> None:
    readme = (ROOT / "README.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    assert (ROOT / "examples/fastapi_app.py").read_text() == block


def test_every_target_that_the_documents_name_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:\$ |`)make ([a-z][a-z0-9-]*)", page.read_text())
    }
    assert set() == {target for target in named if f"\n{target}:" not in makefile}


def test_everything_public_can_be_imported() -> None:
    assert [] == [name for name in tusd_py.__all__ if not hasattr(tusd_py, name)]


def test_the_changelog_has_a_place_for_the_next_version() -> None:
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text()


def test_constraints_pin_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"].values()
    wanted = [*project["project"]["dependencies"], *(line for group in groups for line in group)]
    names = {re.split(r"[^A-Za-z0-9_.-]", line)[0].lower().replace("_", "-") for line in wanted}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    assert set() == names - pinned
    assert [] == [line for line in lines if "://" in line]
