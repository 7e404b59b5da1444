"""``tusd-py backup``."""

import json
from pathlib import Path

from tusd_py.config import Settings

from .failures import CannotStart, explained
from .folder import existing_database
from .output import say


def backup(settings: Settings, destination: str, *, as_json: bool) -> int:
    """Copy the database of a server that may be running; returns the exit code."""
    from tusd_py.metadata.backup import back_up

    source, target = existing_database(settings), Path(destination)
    with explained(settings):
        try:
            uploads = back_up(source, target)
        except FileExistsError:
            raise CannotStart(f"{target} exists already. Name a new file.") from None
        except OSError as error:
            raise CannotStart(f"{target} cannot be written: {error.strerror}.") from error
    if as_json:
        say(json.dumps({"uploads": uploads, "file": str(target)}))
    else:
        say(f"Copied {uploads} {'upload' if uploads == 1 else 'uploads'} to {target}.")
    return 0
