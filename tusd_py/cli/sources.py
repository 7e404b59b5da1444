"""Reads settings from a TOML file, the environment and flags, and refuses all that is wrong."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from tusd_py.config import Config, Cors, HttpHooks, Network, Settings, Streaming
from tusd_py.errors import ConfigError

from .settings import CONFIG_FLAG, CONFIG_VARIABLE, PREFIX, SETTINGS, Setting

# Whoever means to ask for grants does not serve everybody because a variable was forgotten.
_NEVER_EMPTY = ("auth_keys",)


class Source(StrEnum):
    """What a value comes from, from the weakest on."""

    DEFAULT = "default"
    FILE = "file"
    VARIABLE = "variable"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that was read, and where it stands, for a sentence about it."""

    value: object
    source: Source
    where: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and what was chosen of them, by ``Setting.attribute``; the others have defaults."""

    settings: Settings
    choices: Mapping[str, Choice]


@dataclass(slots=True)
class Gathering:
    """What was read so far; later sources replace the values of earlier ones."""

    choices: dict[str, Choice] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def take(self, setting: Setting, value: object, source: Source, where: str) -> None:
        """Read a value, or note what is wrong with it."""
        try:
            self.choices[setting.attribute] = Choice(setting.read(value), source, where)
        except ValueError as error:
            self.problems.append(f"{where}: {error}")

    def unknown(self, where: str, name: str, known: Iterable[str], prefix: str = "") -> None:
        """Note a name that stands for no setting; ``prefix`` is what all of its kind share."""
        # Two names that share only their prefix are not alike.
        bare = [each.removeprefix(prefix) for each in known]
        near = get_close_matches(name.removeprefix(prefix), bare, n=1)
        hint = f" Did you mean {prefix}{near[0]}?" if near else ""
        self.problems.append(f"{where}: There is no such setting.{hint}")

    def part(self, group: str) -> dict[str, object]:
        """The values of one group, by the name of their attribute."""
        return {
            setting.field: self.choices[setting.attribute].value
            for setting in SETTINGS
            if setting.group == group and setting.attribute in self.choices
        }

    def blame(self, group: str, problem: str) -> str:
        """Tell of an object's problem, "attribute: sentence", with the place of the value."""
        name, _, sentence = problem.partition(": ")
        choice = self.choices.get(f"{group}.{name}".removeprefix("."))
        return f"{choice.where}: {sentence}" if choice else problem


def load(
    flags: Mapping[str, object],
    leftover: Sequence[str],
    environ: Mapping[str, str],
    known_flags: Iterable[str],
) -> Loaded:
    """Make settings of all sources: a flag beats a variable, which beats the file.

    Args:
        flags: Values by ``Setting.parameter``, and ``config``; ``None`` and ``()`` count as not
            given.
        leftover: What of the command line is no known flag.
        environ: The environment. An empty variable counts as not given, but for that of keys.
        known_flags: What the command knows, to suggest one near an unknown one.

    Raises:
        ConfigError: Something is wrong; it names everything that is.
    """
    gathering = Gathering()
    _take_file(gathering, flags.get("config"), environ.get(CONFIG_VARIABLE))
    _take_environment(gathering, environ)
    for setting in SETTINGS:
        value = flags.get(setting.parameter)
        if value is not None and value != ():
            gathering.take(setting, value, Source.FLAG, setting.flag)
    _take_leftover(gathering, leftover, known_flags)
    return Loaded(_build(gathering), gathering.choices)


def _take_file(gathering: Gathering, flag: object, variable: str | None) -> None:
    path = flag or variable
    if not path:
        return
    label = CONFIG_FLAG if flag else CONFIG_VARIABLE
    try:
        document = tomllib.loads(Path(str(path)).read_text("utf-8"))
    except (OSError, ValueError) as error:
        gathering.problems.append(f"{label} {path}: {_why_unreadable(error)}")
        return
    known = {setting.name: setting for setting in SETTINGS}
    for key, value in _leaves(document):
        if key in known:
            gathering.take(known[key], value, Source.FILE, f"{path}: {key}")
        else:
            gathering.unknown(f"{path}: {key}", key, known)


def _leaves(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _why_unreadable(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "There is no such file."
    if isinstance(error, OSError):
        return f"The file cannot be read: {error.strerror}."
    if isinstance(error, UnicodeDecodeError):
        return "The file is not text in UTF-8."
    return f"The file is not TOML: {error}."


def _take_environment(gathering: Gathering, environ: Mapping[str, str]) -> None:
    known = {setting.variable: setting for setting in SETTINGS}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == CONFIG_VARIABLE:
            continue
        if name not in known:
            gathering.unknown(name, name, (*known, CONFIG_VARIABLE), PREFIX)
        elif environ[name] or known[name].name in _NEVER_EMPTY:
            gathering.take(known[name], environ[name], Source.VARIABLE, name)


def _take_leftover(gathering: Gathering, leftover: Sequence[str], known: Iterable[str]) -> None:
    may_be_value = False
    for word in leftover:
        if word.startswith("-"):
            name, equals, _ = word.partition("=")
            gathering.unknown(name, name, known, "--")
            may_be_value = not equals
        elif may_be_value:
            may_be_value = False
        else:
            gathering.problems.append(f"{word}: This is not expected here.")


def _build(gathering: Gathering) -> Settings:
    cors, hooks = _build_cors(gathering), _build_hooks(gathering)
    streaming = _build_streaming(gathering)
    if gathering.problems:
        raise ConfigError(gathering.problems)
    # The types were checked with each value.
    network = Network(**gathering.part("app.network"))  # type: ignore[arg-type]
    app = Config(
        **gathering.part("app"),  # type: ignore[arg-type]
        cors=cors,
        hooks=hooks,
        network=network,
        streaming=streaming,
    )
    try:
        return Settings(**gathering.part(""), app=app)  # type: ignore[arg-type]
    except ConfigError as error:
        raise ConfigError([gathering.blame("", p) for p in error.problems]) from error


def _build_cors(gathering: Gathering) -> Cors | None:
    part = gathering.part("app.cors")
    if part.get("origins"):
        try:
            return Cors(**part)  # type: ignore[arg-type]
        except ConfigError as error:
            gathering.problems.extend(gathering.blame("app.cors", p) for p in error.problems)
    elif part.get("credentials"):
        where = gathering.choices["app.cors.credentials"].where
        gathering.problems.append(f"{where}: This needs cors_origin, to say for which pages.")
    return None


def _build_streaming(gathering: Gathering) -> Streaming:
    try:
        return Streaming(**gathering.part("app.streaming"))  # type: ignore[arg-type]
    except ConfigError as error:
        problems = [gathering.blame("app.streaming", p) for p in error.problems]
        gathering.problems.extend(problems)
    return Streaming()


def _build_hooks(gathering: Gathering) -> HttpHooks | None:
    part = gathering.part("app.hooks")
    if "url" in part:
        # Each value was checked, and they know nothing of each other.
        return HttpHooks(**part)  # type: ignore[arg-type]
    for name in part:
        where = gathering.choices[f"app.hooks.{name}"].where
        gathering.problems.append(f"{where}: This needs hooks.http, to say where hooks go.")
    return None
