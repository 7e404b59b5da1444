"""``tusd-py config``: what holds, and where it comes from."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import click

from tusd_py.config import HttpHooks, Settings
from tusd_py.errors import ConfigError

from . import table
from .command import BAD_SETTINGS, SettingsCommand, json_option
from .failures import CannotStart
from .folder import check_keys
from .output import say
from .settings import SETTINGS, Setting
from .sources import Choice, Loaded, Source
from .tls import check_tls

_MASK = "***"
# User and password in a URL, and its query.
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)|(?<=\?)\S+")


class _ShowCommand(SettingsCommand):
    """Needs to know where each value comes from."""

    def run_with(self, loaded: Loaded, **own: object) -> int:
        return self._run(loaded, **own)


@click.group(name="config")
def config() -> None:
    """Look at the settings that "tusd-py serve" would have."""


def _check(settings: Settings) -> int:
    """Say that all is right; what is wrong with single values was told before."""
    try:
        check_keys(settings.auth_keys)
        check_tls(settings.tls_cert, settings.tls_key)
        if settings.app.hooks is not None:
            _check_hooks(settings.app.hooks)
    except CannotStart as problem:
        click.echo(problem.message, err=True)
        return BAD_SETTINGS
    say("The settings are right.")
    return 0


def _check_hooks(hooks: HttpHooks) -> None:
    from tusd_py.hooks.sender import check_hooks

    try:
        check_hooks(hooks)
    except ConfigError as error:
        raise CannotStart(str(error)) from error


def _show(loaded: Loaded, *, as_json: bool) -> int:
    """Write every setting with its value and where that comes from."""
    chosen = [(setting, _chosen(setting, loaded.choices)) for setting in SETTINGS]
    if as_json:
        say(json.dumps({s.name: _facts(s, choice) for s, choice in chosen}, indent=2))
        return 0
    rows = [
        (setting.name, _masked(setting, choice.value, setting.kind.show(choice.value)), source)
        for setting, choice in chosen
        for source in [_told(choice)]
    ]
    table.show(("SETTING", "VALUE", "FROM"), rows)
    return 0


def _chosen(setting: Setting, choices: Mapping[str, Choice]) -> Choice:
    return choices.get(setting.attribute) or Choice(setting.default, Source.DEFAULT, "")


def _told(choice: Choice) -> str:
    return table.printable(f"{choice.source}: {choice.where}" if choice.where else choice.source)


def _facts(setting: Setting, choice: Choice) -> dict[str, object]:
    return {
        "value": _plain(setting, choice.value),
        "source": choice.source,
        "where": choice.where or None,
    }


def _plain(setting: Setting, value: object) -> object:
    """The value as JSON has it: sizes in bytes, durations in seconds."""
    if isinstance(value, tuple):
        return [_plain(setting, each) for each in value]
    if isinstance(value, str | Path):
        return _masked(setting, value, str(value))
    return value


def _masked(setting: Setting, value: object, shown: str) -> str:
    if setting.secret and value:
        return _MASK
    return _CREDENTIALS.sub(_MASK, table.printable(shown))


config.add_command(
    SettingsCommand(
        "check",
        _check,
        SETTINGS,
        "Say whether a server would take the settings; exit code 2 if not, with all that is wrong.",
    )
)
config.add_command(
    _ShowCommand(
        "show",
        _show,
        SETTINGS,
        "Write every setting with its value and whether a flag, a variable, the file or the "
        "default has it. Secrets are left out.",
        own=[json_option()],
    )
)
