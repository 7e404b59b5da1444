"""``tusd-py keys``: the file of keys that sign tokens."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

import click

from .plain import PlainCommand, option, told

_ID_BYTES = 4
_SECRET_BYTES = 32
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
    click.echo(key.id)


@keys.command("retire", cls=PlainCommand)
@click.argument("id")
@_file
def retire(id: str, file: str) -> None:  # noqa: A002 - help shows the argument by this name
    """Refuse what the key ID signed, from now on.

    Uploads go on only with capabilities of other keys.
    """
    from tusd_py.auth.keyfile import retire_key

    with told(file):
        retire_key(Path(file), id)


@keys.command("list", cls=PlainCommand)
@_file
def list_keys(file: str) -> None:
    """Print the id of each key, what it may do and when it was made; never its secret."""
    from tusd_py.auth.keyfile import read_keys

    with told(file):
        ring, _ = read_keys(Path(file))
    for key in ring.keys.values():
        created = key.created.isoformat() if key.created is not None else "-"
        click.echo(f"{key.id}  {key.state:<9}  {created}")
