"""``tusd-py token``: creation grants from the command line."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tusd_py.quantities import format_duration

from .kinds import DURATION, NUMBER, SIZE, TEXT, TEXTS, Kind
from .output import say
from .plain import PlainCommand, option, read_options, read_pairs, refuse, told

_KINDS: Mapping[str, Kind] = {
    "subject": TEXT,
    "max_length": SIZE,
    "length": SIZE,
    "ttl": DURATION,
    "parts": NUMBER,
    "uploads": NUMBER,
    "can": TEXTS,
    "allow_metadata": TEXTS,
    "path": TEXT,
}


@click.group(name="token")
def token() -> None:
    """Make tokens that let clients upload."""


@token.command("create", cls=PlainCommand)
@option("--keys", "FILE", "TOML file of keys, the server's.", required=True)
@option("--subject", "TEXT", "Whose the upload will be.", required=True)
@option("--max-length", "SIZE", "Most bytes of the upload, such as 10MB.")
@option("--length", "SIZE", "Exactly how many bytes it has; this or --max-length is needed.")
@option("--ttl", "DURATION", "How long the grant holds. Default: 15m, the most for most servers.")
@option("--uploads", "NUMBER", "How many uploads it admits. Default: 1.")
@option("--parts", "NUMBER", "How many partial uploads it admits beside these. Default: 0.")
@option(
    "--can",
    "RIGHT",
    "What the holder may do beside uploading: GET to download, DELETE to remove it also when it is "
    "complete. May be repeated, or have commas.",
    multiple=True,
)
@option(
    "--metadata",
    "NAME=VALUE",
    "A pair that the creation must carry exactly so. May be repeated.",
    multiple=True,
)
@option(
    "--allow-metadata",
    "NAME",
    "Let the creation carry this name beside those, and no others. May be repeated.",
    multiple=True,
)
@option("--path", "PATH", "The path below which the upload has to be created. Default: any.")
def create(keys: str, metadata: tuple[str, ...], **given: object) -> None:
    """Print a grant that lets its holder create an upload."""
    from tusd_py.auth.grant import MOST_LIFETIME
    from tusd_py.auth.keyfile import read_keys
    from tusd_py.auth.signer import Signer

    values, problems = read_options(given, _KINDS)
    pairs = read_pairs(metadata, problems)
    if (given["length"] is None) == (given["max_length"] is None):
        problems.append("--max-length: Either this or --length is needed.")
    if problems:
        refuse(problems)
    with told(keys):
        ring, _ = read_keys(Path(keys))
        grant = Signer(ring).grant(metadata=pairs, **_arguments(values))
    say(grant)
    if values.get("ttl", 0) > MOST_LIFETIME:  # type: ignore[operator]
        usual = format_duration(MOST_LIFETIME)
        sys.stdout.flush()
        click.echo(
            f"--ttl: Servers refuse grants for more than {usual} unless set up otherwise.", err=True
        )


def _arguments(values: dict[str, object]) -> dict[str, Any]:
    names = {"allow_metadata": "allowed_metadata"}
    return {names.get(name, name): value for name, value in values.items()}
