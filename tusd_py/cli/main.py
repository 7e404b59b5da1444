"""The ``tusd-py`` command."""

import sys
from typing import NoReturn

import click

from tusd_py import __version__
from tusd_py.config import Settings

from .clients import clients
from .command import SettingsCommand, json_option, settings_named
from .config import config
from .hooks import hooks
from .keys import keys
from .settings import OF_NETWORK, OF_SERVER
from .token import token
from .upload import upload


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


def _list(settings: Settings, *, as_json: bool, **options: object) -> int:
    from .listing import list_all

    return list_all(settings, as_json=as_json, **options)


def _inspect(settings: Settings, upload_id: str, *, as_json: bool) -> int:
    from .listing import inspect

    return inspect(settings, upload_id, as_json=as_json)


def _remove(settings: Settings, ids: tuple[str, ...], *, as_json: bool) -> int:
    from .remove import remove

    return remove(settings, ids, as_json=as_json)


def _network(settings: Settings, *, watch: bool, as_json: bool) -> int:
    from .network import network

    return network(settings, watch=watch, as_json=as_json)


@click.group(name="tusd-py", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tusd-py", message="%(prog)s %(version)s")
def cli() -> None:
    """Resumable uploads over the open tus protocol.

    Every setting is a flag, a variable (TUSD_PY_MAX_SIZE for --max-size) and a key of the TOML
    file (max_size). A flag beats the variable, and the variable the file.
    """


cli.add_command(
    SettingsCommand("serve", _serve, OF_SERVER, "Run the server until it is told to stop.")
)
cli.add_command(
    SettingsCommand(
        "list",
        _list,
        settings_named("data_dir"),
        "List uploads by id, also beside a server that is running.",
        own=[
            click.Option(["--unfinished"], is_flag=True, help="Only unfinished ones."),
            click.Option(["--finished"], is_flag=True, help="Only finished ones."),
            click.Option(["--expired"], is_flag=True, help="Only those that wait for a sweep."),
            click.Option(["--subject"], metavar="TEXT", help="Only those of this subject."),
            click.Option(["--after"], metavar="ID", help="Only those behind this id, to page on."),
            click.Option(["--limit"], metavar="NUMBER", help="At most so many. Default: all."),
            json_option(),
        ],
    )
)
cli.add_command(
    SettingsCommand(
        "inspect",
        _inspect,
        settings_named("data_dir"),
        "Write all that is known of the upload ID; exit code 1 if there is none.",
        own=[click.Argument(["upload_id"], metavar="ID"), json_option()],
    )
)
cli.add_command(
    SettingsCommand(
        "rm",
        _remove,
        settings_named("data_dir", "durability", "lock_timeout", "log_format", "log_level"),
        "Remove the uploads ID... and their bytes, also beside a server that is running: whoever "
        "uses one is asked to leave first. Exit code 1 if one could not be removed.",
        own=[click.Argument(["ids"], metavar="ID...", nargs=-1, required=True), json_option()],
    )
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
cli.add_command(
    SettingsCommand(
        "network",
        _network,
        [*settings_named("data_dir"), *OF_NETWORK],
        "Show this machine's interfaces, how good they are, and which one would be used and why; "
        "and which one the server on this data folder uses, and its switches.",
        own=[
            click.Option(["--watch"], is_flag=True, help="Go on, and tell each change."),
            json_option(),
        ],
    )
)
cli.add_command(clients)
cli.add_command(config)
cli.add_command(hooks)
cli.add_command(keys)
cli.add_command(token)
cli.add_command(upload)


def main() -> NoReturn:
    """Run the command line and exit."""
    cli(prog_name="tusd-py")
    sys.exit(0)
