"""tuspyserver on uvicorn, the server in Python that is used most."""

from __future__ import annotations

from benchmarks.peers.on_uvicorn import on_uvicorn
from benchmarks.servers import Server


def tuspyserver() -> Server:
    """Return tuspyserver as its README starts it."""
    return on_uvicorn(
        "tuspyserver",
        ("tuspyserver", "starlette", "fastapi"),
        durability="fsync of the info file, not of the bytes",
    )
