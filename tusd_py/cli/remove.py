"""``tusd-py rm``."""

import asyncio
import json
import sys
from collections.abc import Sequence

import click

from tusd_py import telemetry
from tusd_py.config import Settings
from tusd_py.errors import LockTimeout, TusError, UploadNotFound

from . import table
from .failures import FAILED, explained
from .folder import existing_database
from .output import say


def remove(settings: Settings, ids: Sequence[str], *, as_json: bool) -> int:
    """Remove uploads as their clients would; returns the exit code, 1 if one is still there."""
    telemetry.configure(settings.log_format, settings.log_level, sys.stderr)
    existing_database(settings)
    with explained(settings):
        problems = asyncio.run(_remove(settings, ids))
    removed = [upload_id for upload_id in dict.fromkeys(ids) if upload_id not in problems]
    if as_json:
        say(json.dumps({"removed": removed, "problems": problems}))
    else:
        for upload_id in removed:
            say(f"Removed {upload_id}.")
        for upload_id, problem in problems.items():
            click.echo(f"{table.printable(upload_id)}: {problem}", err=True)
    return FAILED if problems else 0


async def _remove(settings: Settings, ids: Sequence[str]) -> dict[str, str]:
    """Remove each; returns what is wrong with those that could not be."""
    from .app import build_app, without_background

    tus = build_app(without_background(settings))
    problems: dict[str, str] = {}
    async with tus.running():
        for upload_id in dict.fromkeys(ids):
            try:
                await tus.uploads.delete(upload_id)
            except UploadNotFound:
                problems[upload_id] = "There is no such upload, or it has expired."
            except LockTimeout:
                problems[upload_id] = "It is in use, and was not let go of in time. Try again."
            except TusError as error:
                problems[upload_id] = str(error)
    return problems
