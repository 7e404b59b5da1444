"""The ``tusd-py`` command."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import click

from tusd_py import __version__
from tusd_py.config import Settings
from tusd_py.errors import ConfigError

from .hooks import hooks
from .keys import keys
from .settings import CONFIG_FLAG, SETTINGS, Setting
from .sources import load
from .token import token

BAD_SETTINGS = 2

# What the commands beside the server have a use for; the file and the environment may say more.
_SWEEP_FLAGS = ("data_dir", "durability", "log_format", "log_level")
_BACKUP_FLAGS = ("data_dir",)
_VERIFY_FLAGS = ("data_dir", "log_format", "log_level")


class SettingsCommand(click.Command):
    """A command whose options are settings, and that refuses all wrong ones together.

    Args:
        name: Of the command.
        run: Called with the settings, and with the argument if there is one.
        settings: Those that have flags.
        about: The help.
        argument: The name of what follows the command; None is nothing.
    """

    def __init__(
        self,
        name: str,
        run: Callable[..., int],
        settings: Sequence[Setting],
        about: str,
        argument: str | None = None,
    ) -> None:
        self._run = run
        self._argument = argument
        self._flags = [CONFIG_FLAG, *(setting.flag for setting in settings)]
        super().__init__(
            name,
            params=[
                *([click.Argument([argument])] if argument is not None else ()),
                _config_option(),
                *map(_option, settings),
            ],
            help=about,
            callback=self._call,
            # Unknown flags are reported with all other problems, not alone by click.
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        )

    def _call(self, **flags: object) -> NoReturn:
        leftover = click.get_current_context().args
        arguments = [str(flags.pop(self._argument))] if self._argument is not None else []
        if arguments and arguments[0].startswith("-"):
            # An unknown flag looks like an argument to click.
            leftover = [*arguments, *leftover]
        try:
            settings = load(flags, leftover, os.environ, self._flags)
        except ConfigError as error:
            for problem in error.problems:
                click.echo(problem, err=True)
            sys.exit(BAD_SETTINGS)
        sys.exit(self._run(settings, *arguments))


def _config_option() -> click.Option:
    return click.Option(
        ["config", CONFIG_FLAG],
        metavar="FILE",
        help="TOML file of settings; its keys are the flags' names with underscores.",
    )


def _option(setting: Setting) -> click.Option:
    if setting.kind.metavar is None:
        both = f"{setting.flag}/--no-{setting.flag.removeprefix('--')}"
        return click.Option([setting.parameter, both], default=None, help=setting.help)
    return click.Option(
        [setting.parameter, setting.flag],
        metavar=setting.kind.metavar,
        multiple=setting.kind.many,
        help=setting.help,
    )


def _serve(settings: Settings) -> int:
    from .serve import serve

    return serve(settings)


def _sweep(settings: Settings) -> int:
    from .sweep import sweep

    return sweep(settings)


def _backup(settings: Settings, destination: str) -> int:
    from .backup import backup

    return backup(settings, destination)


def _verify(settings: Settings) -> int:
    from .verify import verify

    return verify(settings)


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
        [setting for setting in SETTINGS if setting.name in _SWEEP_FLAGS],
        "Remove expired uploads once, and say how many.",
    )
)
cli.add_command(
    SettingsCommand(
        "backup",
        _backup,
        [setting for setting in SETTINGS if setting.name in _BACKUP_FLAGS],
        "Copy the database to the new file DESTINATION; the server may be running.",
        argument="destination",
    )
)
cli.add_command(
    SettingsCommand(
        "verify",
        _verify,
        [setting for setting in SETTINGS if setting.name in _VERIFY_FLAGS],
        "Say where database and files differ, changing nothing; exit code 1 if they do.",
    )
)
cli.add_command(hooks)
cli.add_command(keys)
cli.add_command(token)


def main() -> NoReturn:
    """Run the command line and exit."""
    cli(prog_name="tusd-py")
    sys.exit(0)
