"""Commands whose options are settings."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import click

from tusd_py.errors import ConfigError

from .settings import CONFIG_FLAG, SETTINGS, Setting
from .sources import Loaded, load

BAD_SETTINGS = 2


def settings_named(*names: str) -> list[Setting]:
    """Those of the table that a command has a use for; file and environment may say more."""
    return [setting for setting in SETTINGS if setting.name in names]


class SettingsCommand(click.Command):
    """A command whose options are settings, and that refuses all wrong ones together.

    Args:
        name: Of the command.
        run: Called with the settings, and with the command's own parameters by name; returns the
            exit code.
        settings: Those that have flags.
        about: The help.
        own: The parameters that are not settings.
    """

    def __init__(
        self,
        name: str,
        run: Callable[..., int],
        settings: Sequence[Setting],
        about: str,
        own: Sequence[click.Parameter] = (),
    ) -> None:
        self._run = run
        self._own = [str(parameter.name) for parameter in own]
        self._arguments = {str(each.name) for each in own if isinstance(each, click.Argument)}
        options = [_config_option(), *map(_option, settings)]
        options += [each for each in own if isinstance(each, click.Option)]
        self._flags = [flag for option in options for flag in option.opts]
        super().__init__(
            name,
            params=[*(each for each in own if isinstance(each, click.Argument)), *options],
            help=about,
            callback=self._call,
            # Unknown flags are reported with all other problems, not alone by click.
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        )

    def run_with(self, loaded: Loaded, **own: object) -> int:
        """Do what the command does; returns the exit code."""
        return self._run(loaded.settings, **own)

    def _call(self, **given: object) -> NoReturn:
        own = {name: given.pop(name) for name in self._own}
        leftover = [*self._unknown_flags(own), *click.get_current_context().args]
        try:
            loaded = load(given, leftover, os.environ, self._flags)
        except ConfigError as error:
            for problem in error.problems:
                click.echo(problem, err=True)
            sys.exit(BAD_SETTINGS)
        sys.exit(self.run_with(loaded, **own))

    def _unknown_flags(self, own: dict[str, object]) -> list[str]:
        """Unknown flags look like arguments to click."""
        words: list[str] = []
        for name in self._arguments:
            value = own[name]
            words += value if isinstance(value, tuple) else [str(value)]
        return [word for word in words if word.startswith("-")]


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


def json_option() -> click.Option:
    """``--json``, the same for all commands that have it."""
    return click.Option(["as_json", "--json"], is_flag=True, help="Write JSON, for programs.")
