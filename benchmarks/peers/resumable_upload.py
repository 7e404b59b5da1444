"""resumable-upload on uvicorn, the server in Python with the most extensions."""

from __future__ import annotations

from benchmarks.peers.on_uvicorn import on_uvicorn
from benchmarks.servers import Server


def resumable_upload() -> Server:
    """Return resumable-upload's ASGI application with its own storage and downloads."""
    return on_uvicorn(
        "resumable-upload",
        ("resumable-upload",),
        durability="no fsync",
        setting="SQLite storage, checksums and downloads on, ",
        # Of every request it joins the body before it looks at it.
        holds_bodies=True,
    )
