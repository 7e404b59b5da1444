"""The ``tusd-py`` command."""

import sys
from typing import NoReturn

import click

from tusd_py import __version__
from tusd_py.config import Settings

from .command import SettingsCommand, json_option, settings_named
from .config import config
from .hooks import hooks
from .keys import keys
from .settings import SETTINGS
from .token import token


def _serve(settings: Settings) -> int:
    from .serve import serve

    return serve(settings)


def _sweep(settings: Settings, *, as_json: bool) -> int:
    from .sweep import sweep

    return sweep(settings, as_json=as_json)


def _backup(settings: Settings, destination: str, *, as_json: bool) -> int:
    from .backup import backup

    return backup(settings, destination, as_json=as_json)


def _verify(settings: Settings, *, as_json: bool) -> int:
    from .verify import verify

    return verify(settings, as_json=as_json)


@click.group(name="tusd-py", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tusd-py", message="%(prog)s %(version)s")
def cli() -> None:
    """Resumable uploads over the open tus protocol.

    Every setting is a flag, a variable (TUSD_PY_MAX_SIZE for --max-size) and a key of the TOML
    file (max_size). A flag beats the variable, and the variable the file.
    """


cli.add_command(
    SettingsCommand("serve", _serve, SETTINGS, "Run the server until it is told to stop.")
)
cli.add_command(
    SettingsCommand(
        "sweep",
        _sweep,
        settings_named("data_dir", "durability", "log_format", "log_level"),
        "Remove expired uploads once, and say how many.",
        own=[json_option()],
    )
)
cli.add_command(
    SettingsCommand(
        "backup",
        _backup,
        settings_named("data_dir"),
        "Copy the database to the new file DESTINATION; the server may be running.",
        own=[click.Argument(["destination"]), json_option()],
    )
)
cli.add_command(
    SettingsCommand(
        "verify",
        _verify,
        settings_named("data_dir", "log_format", "log_level"),
        "Say where database and files differ, changing nothing; exit code 1 if they do.",
        own=[json_option()],
    )
)
cli.add_command(config)
cli.add_command(hooks)
cli.add_command(keys)
cli.add_command(token)


def main() -> NoReturn:
    """Run the command line and exit."""
    cli(prog_name="tusd-py")
    sys.exit(0)
