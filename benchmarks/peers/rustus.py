"""rustus, in Rust: the binary that ``RUSTUS_BIN`` names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.peers.binary import binary_named_by, build_of
from benchmarks.servers import Launch, Server

# By default it takes bodies of up to 256 KiB.
_FLAGS: Final = ("--log-level", "OFF", "--max-body-size", str(64 * 1024**3))


def rustus() -> Server:
    """Return rustus with its file stores, logs off, on all cores as it comes."""
    binary = binary_named_by("RUSTUS_BIN")

    def launch(port: int, data: Path) -> Launch:
        listen = ("--host", "127.0.0.1", "--port", str(port), "--url", "/files")
        folders = ("--data-dir", str(data), "--info-dir", str(data / "info"))
        return Launch(arguments=[binary, *listen, *folders, *_FLAGS])

    return Server(
        name="rustus",
        # It calls every release 0.0.0.
        version=build_of(binary),
        configuration=" ".join(_FLAGS),
        durability="no fsync",
        launch=launch,
        holds_bodies=True,
    )
