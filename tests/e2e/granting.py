"""A server that asks for grants, and the grants."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.samples import MIB
from tests.support.server import ServerProcess
from tests.support.tools import run_tool
from tusd_py.auth import KeyFile, Signer


@dataclass(frozen=True, slots=True)
class Granting:
    """Where uploads are created, and who signs the grants for it."""

    url: str
    signer: Signer

    def grant(self, **claims: Any) -> str:  # noqa: ANN401
        """A grant to upload and to read back what was uploaded."""
        usual = {"subject": "alice", "max_length": 64 * MIB, "can": ["GET"]}
        return self.signer.grant(**{**usual, **claims})

    def headers(self, **claims: Any) -> dict[str, str]:  # noqa: ANN401
        """What a client is told to send."""
        return {"Authorization": f"Bearer {self.grant(**claims)}"}

    def endpoint(self, **claims: Any) -> str:  # noqa: ANN401
        """The URL for a client that cannot send headers of its own."""
        return f"{self.url}-/{self.grant(**claims)}"


@contextmanager
def granting_server(folder: Path, *options: str) -> Iterator[Granting]:
    """A server with keys of its own."""
    keys = folder / "keys.toml"
    # By a process of its own: a test with a browser has a loop, in which nobody may block.
    run_tool([sys.executable, "-m", "tusd_py", "keys", "new", "--file", str(keys)], cwd=folder)
    asking = ("--durability", "process", "--auth-keys", str(keys))
    with ServerProcess(folder / "data", *asking, *options) as server:
        yield Granting(server.url, Signer(KeyFile(keys)))
