"""@tus/server with its file store, the official server in JavaScript."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from benchmarks.install import install_in_node, program
from benchmarks.processes import output_of
from benchmarks.servers import Launch, Server

_NAME: Final = "tus-node-server"
_PACKAGES: Final = ("@tus/server", "@tus/file-store")


def tus_node_server() -> Server:
    """Return @tus/server as its README starts it, in production mode."""
    node = program("node")
    home = install_in_node(_NAME)

    def launch(port: int, data: Path) -> Launch:
        return Launch(
            arguments=[node, str(home / "server.mjs"), str(port), str(data)],
            environment={"NODE_ENV": "production"},
        )

    versions = [f"{package} {_version(home, package)}" for package in _PACKAGES]
    return Server(
        name=_NAME,
        version=", ".join([*versions, f"Node {output_of([node, '--version']).strip()}"]),
        configuration="defaults, NODE_ENV=production",
        durability="no fsync",
        launch=launch,
    )


def _version(home: Path, package: str) -> str:
    manifest = home / "node_modules" / package / "package.json"
    return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
