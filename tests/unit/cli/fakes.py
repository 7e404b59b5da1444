"""What stands in for the server, and how a test runs the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from click.testing import Result

from tusd_py.asgi import TusApp
from tusd_py.config import Settings


class Run(Protocol):
    """Runs ``tusd-py`` with arguments and an environment."""

    def __call__(self, *args: str, env: Mapping[str, str] | None = None) -> Result: ...


@dataclass
class FakeServer:
    """Stands in for the server: says it listens, and ends as it was told to."""

    url: str = "http://127.0.0.1:1080/files/"
    exit_code: int = 0
    failure: Exception | None = None
    few_descriptors: str | None = None
    served: list[Settings] = field(default_factory=list)

    def serve(self, tus: TusApp, settings: Settings, on_listening: object) -> int:
        assert isinstance(tus, TusApp)
        assert callable(on_listening)
        self.served.append(settings)
        if self.failure is not None:
            raise self.failure
        on_listening(self.url)
        return self.exit_code

    def raise_descriptors(self, max_uploads: int | None) -> str | None:
        assert max_uploads == 5000
        return self.few_descriptors
