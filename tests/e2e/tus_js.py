"""tus-js-client as npm installs it."""

from __future__ import annotations

from pathlib import Path

from tests.support.tools import built_once, require_tool, run_tool

SOURCES = Path(__file__).parent / "clients" / "js"


def installed() -> Path:
    """A folder with tus-js-client in ``node_modules``, and our program that runs it in Node."""
    return built_once("js", SOURCES, install)


def install(folder: Path) -> None:
    """Install what the folder's lock names into ``node_modules``."""
    npm = require_tool("npm")
    run_tool([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
