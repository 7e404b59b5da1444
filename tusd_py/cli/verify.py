"""``tusd-py verify``."""

import asyncio
import json
import sys

from tusd_py import telemetry
from tusd_py.config import Settings

from .failures import FAILED, explained
from .folder import existing_database
from .output import say


def verify(settings: Settings, *, as_json: bool) -> int:
    """Say where database and files differ; returns the exit code, which is 1 if they do."""
    telemetry.configure(settings.log_format, settings.log_level, sys.stderr)
    existing_database(settings)
    with explained(settings):
        findings = asyncio.run(_verify(settings))
    if as_json:
        say(json.dumps({"differences": findings}))
    else:
        count = f"{len(findings)} {'difference' if len(findings) == 1 else 'differences'}."
        say("\n".join([*findings, count]))
    return FAILED if findings else 0


async def _verify(settings: Settings) -> list[str]:
    from tusd_py.uploads.verify import verify as findings_of
    from tusd_py.wiring import backends

    parts = backends(settings)
    await parts.storage.start(durable=False)
    await parts.metadata.start(durable=False)
    try:
        return await findings_of(parts.storage, parts.metadata)
    finally:
        await parts.metadata.close()
        await parts.storage.close()
