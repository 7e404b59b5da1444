"""tusd, the reference server, in Go: the binary that ``TUSD_BIN`` names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.peers.binary import binary_named_by, build_of
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
    binary = binary_named_by("TUSD_BIN")

    def launch(port: int, data: Path) -> Launch:
        listen = ("-host", "127.0.0.1", "-port", str(port), "-base-path", "/files/")
        return Launch(
            arguments=[binary, *listen, "-upload-dir", str(data), *_FLAGS], logs_to_stdout=True
        )

    return Server(
        name="tusd",
        version=_version(binary),
        configuration=f"{' '.join(_FLAGS)}, the logs that remain to /dev/null",
        durability="no fsync",
        launch=launch,
    )


def _version(binary: str) -> str:
    said = output_of([binary, "-version"])
    label = next((line.split()[-1] for line in said.splitlines() if "Version:" in line), "n/a")
    return label if label != "n/a" else build_of(binary)
