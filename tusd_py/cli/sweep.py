"""``tusd-py sweep``."""

import asyncio
import json
import sys

from tusd_py import telemetry
from tusd_py.config import Settings

from .failures import CannotStart, explained
from .output import say


def sweep(settings: Settings, *, as_json: bool) -> int:
    """Remove expired uploads once; returns the exit code."""
    # The number is the output, and may be piped on.
    telemetry.configure(settings.log_format, settings.log_level, sys.stderr)
    if not settings.data_dir.is_dir():
        raise CannotStart(
            f"There is no folder {settings.data_dir.absolute()}. Name the server's with --data-dir."
        )
    with explained(settings):
        removed = asyncio.run(_sweep(settings))
    if as_json:
        say(json.dumps({"removed": removed}))
    else:
        say(f"Removed {removed} expired {'upload' if removed == 1 else 'uploads'}.")
    return 0


async def _sweep(settings: Settings) -> int:
    from .app import build_app, without_background

    tus = build_app(without_background(settings))
    async with tus.running():
        return await tus.sweep()
