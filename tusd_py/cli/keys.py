"""``tusd-py keys``: the file of keys that sign tokens."""

import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from tusd_py.errors import MetadataError
from tusd_py.quantities import shown

from .failures import CannotStart
from .output import say
from .plain import PlainCommand, option, refuse, told

_ID_BYTES = 4
_SECRET_BYTES = 32
_DATA_DIR = "TUSD_PY_DATA_DIR"
_file = option("--file", "FILE", "TOML file of keys.", required=True)


@click.group(name="keys")
def keys() -> None:
    """Make, retire and list the keys that sign grants and capabilities.

    A running server notices within a second.
    """


@keys.command("new", cls=PlainCommand)
@_file
def new(file: str) -> None:
    """Add a key that signs from now on, and print its id.

    The key that signed before is still accepted. The file is made if need be.
    """
    from tusd_py.auth.keyfile import add_key
    from tusd_py.auth.keys import Key

    key = Key(
        secrets.token_hex(_ID_BYTES),
        secrets.token_bytes(_SECRET_BYTES),
        created=datetime.now(UTC).replace(microsecond=0),
    )
    with told(file):
        add_key(Path(file), key)
    say(key.id)


@keys.command("retire", cls=PlainCommand)
@click.argument("id")
@_file
@option(
    "--data-dir",
    "FOLDER",
    f"The server's folder, to see which uploads still need the key. Default: {_DATA_DIR}, or data.",
)
@click.option("--force", is_flag=True, help="Retire it even if unfinished uploads still need it.")
def retire(id: str, file: str, data_dir: str | None, *, force: bool) -> None:  # noqa: A002 - shown by help
    """Refuse what the key ID signed, from now on.

    Uploads go on only with capabilities of other keys, and finished ones can be reached only with
    those. While unfinished uploads still need the key, it is not retired without --force.
    """
    from tusd_py.auth.keyfile import retire_key

    data_dir = data_dir or os.environ.get(_DATA_DIR) or None
    database = Path(data_dir or "data") / "tus.db"
    looked = database.exists()
    if data_dir is not None and not looked and not force:
        why = f"There is no database in {database.parent}."
        refuse([f"{why} Name the server's folder with --data-dir, or use --force."])
    if looked and not force:
        _check_unneeded(database, id)
    with told(file):
        retire_key(Path(file), id)
    if not looked and not force:
        click.echo(
            f"There is no database in {database.parent}, so nobody looked for uploads that still "
            "need the key. Name the server's folder with --data-dir.",
            err=True,
        )


def _check_unneeded(database: Path, key_id: str) -> None:
    from tusd_py.metadata.signed import uploads_that_need

    try:
        count = uploads_that_need(database, key_id, time.time())
    except MetadataError as error:
        raise CannotStart(f"{database} cannot be read: {error.__cause__ or error}.") from error
    if count:
        needing = "upload still needs" if count == 1 else "uploads still need"
        why = f"{count} {needing} the key {shown(key_id)}."
        refuse([f"{why} Wait until they are finished or expired, or use --force."])


@keys.command("list", cls=PlainCommand)
@_file
def list_keys(file: str) -> None:
    """Print the id of each key, what it may do and when it was made; never its secret."""
    from tusd_py.auth.keyfile import read_keys

    with told(file):
        ring, _ = read_keys(Path(file))
    for key in ring.keys.values():
        created = key.created.isoformat() if key.created is not None else "-"
        say(f"{key.id}  {key.state:<9}  {created}")
