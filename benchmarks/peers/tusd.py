"""tusd, the reference server, in Go: the binary that ``TUSD_BIN`` names."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from benchmarks.errors import UnavailableError
from benchmarks.processes import output_of
from benchmarks.servers import Launch, Server

_FLAGS: Final = (
    "-verbose=false",
    "-show-greeting=false",
    "-show-startup-logs=false",
    "-expose-metrics=false",
)


def tusd() -> Server:
    """Return tusd with logs and metrics off, on all cores as it comes."""
    binary = os.environ.get("TUSD_BIN", "")
    if not binary:
        raise UnavailableError("TUSD_BIN does not name its binary")
    if not Path(binary).is_file():
        raise UnavailableError("TUSD_BIN names no file")

    def launch(port: int, data: Path) -> Launch:
        listen = ("-host", "127.0.0.1", "-port", str(port), "-base-path", "/files/")
        return Launch(arguments=[binary, *listen, "-upload-dir", str(data), *_FLAGS])

    return Server(
        name="tusd",
        version=_version(binary),
        configuration=" ".join(_FLAGS),
        durability="no fsync",
        launch=launch,
    )


def _version(binary: str) -> str:
    said = output_of([binary, "-version"])
    label = next((line.split()[-1] for line in said.splitlines() if "Version:" in line), "n/a")
    if label != "n/a":
        return label
    with Path(binary).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"build without a version, SHA-256 {digest[:12]}"
