"""Kinds of settings: how a value is read from a file, a variable or a flag, and shown in help."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tusd_py.quantities import (
    format_duration,
    format_latency,
    format_share,
    format_size,
    parse_duration,
    parse_latency,
    parse_share,
    parse_size,
    shown,
)

_NUMBER = re.compile(r"-?[0-9]{1,18}")
_SWITCH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How values of one kind come in and go out."""

    metavar: str | None
    """What stands for the value in help; ``None`` for a switch, which has none."""

    read: Callable[[object], object]
    """Takes text, or a value of TOML; raises ``ValueError`` with a sentence."""

    show: Callable[[object], str] = lambda value: "none" if value is None else str(value)
    """Writes a value as a person reads it."""

    many: bool = False
    """The flag may be repeated."""


def _read_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not text in quotes.")  # noqa: TRY004 - caught with all
    return value


def _read_number(value: object) -> int:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return int(value)
    if type(value) is not int:
        raise ValueError(f"{shown(value)} is not a whole number.")
    return value


def _read_size(value: object) -> int:
    return value if type(value) is int else parse_size(_as_text(value))


def _read_duration(value: object) -> float:
    if type(value) is int or type(value) is float:
        return value
    return parse_duration(_as_text(value))


def _read_whole_seconds(value: object) -> int:
    seconds = _read_duration(value)
    if seconds % 1 != 0:
        raise ValueError(f"{shown(value)} is not a whole number of seconds.")
    return int(seconds)


def _read_latency(value: object) -> float:
    # A bare number is in milliseconds, in a file as in text.
    if type(value) is int or type(value) is float:
        return value / 1000
    return parse_latency(_as_text(value))


def _read_share(value: object) -> float:
    if type(value) is int or type(value) is float:
        return value / 100
    return parse_share(_as_text(value))


def _read_switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    known = _SWITCH.get(value.strip().lower()) if isinstance(value, str) else None
    if known is None:
        raise ValueError(f"{shown(value)} is neither true nor false.")
    return known


def _read_folder(value: object) -> Path:
    return _read_path(value, "folder")


def _read_file(value: object) -> Path:
    return _read_path(value, "file")


def _read_path(value: object, what: str) -> Path:
    text = _read_text(value)
    if not text or "\0" in text:
        raise ValueError(f"{shown(text)} is not a {what}.")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{shown(text)} names a home folder that is not known.") from error


def _read_texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list | tuple) else (value,)
    # No network, origin or header name holds a comma, so one variable can hold several.
    pieces = (piece.strip() for item in items for piece in _read_text(item).split(","))
    return tuple(piece for piece in pieces if piece)


def _read_mode(value: object) -> int:
    text = _read_text(value)
    try:
        # int() alone would take "0o660", "6_6" and other scripts' digits.
        return int(text, 8) if text.isascii() and text.isdigit() else int("")
    except ValueError:
        raise ValueError(f"{shown(text)} is no mode such as 660.") from None


def _as_text(value: object) -> str:
    # parse_size and parse_duration then say what is wrong with it, as with any other text.
    return value if isinstance(value, str) else repr(value)


def _show_mode(value: object) -> str:
    return f"{value:o}"


def _show_switch(value: object) -> str:
    return "yes" if value else "no"


def _show_texts(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) and value else "none"


def _show_size(value: object) -> str:
    return format_size(value) if isinstance(value, int) else "none"


def _show_duration(value: object) -> str:
    return format_duration(value) if isinstance(value, int | float) else "never"


def _show_latency(value: object) -> str:
    return format_latency(value) if isinstance(value, int | float) else "none"


def _show_share(value: object) -> str:
    return format_share(value) if isinstance(value, int | float) else "none"


TEXT = Kind(metavar="TEXT", read=_read_text)
NUMBER = Kind(metavar="NUMBER", read=_read_number)
SIZE = Kind(metavar="SIZE", read=_read_size, show=_show_size)
DURATION = Kind(metavar="DURATION", read=_read_duration, show=_show_duration)
LATENCY = Kind(metavar="TIME", read=_read_latency, show=_show_latency)
SHARE = Kind(metavar="PERCENT", read=_read_share, show=_show_share)
WHOLE_SECONDS = Kind(metavar="DURATION", read=_read_whole_seconds, show=_show_duration)
SWITCH = Kind(metavar=None, read=_read_switch, show=_show_switch)
FOLDER = Kind(metavar="FOLDER", read=_read_folder)
FILE = Kind(metavar="FILE", read=_read_file)
MODE = Kind(metavar="MODE", read=_read_mode, show=_show_mode)
TEXTS = Kind(metavar="TEXT", read=_read_texts, show=_show_texts, many=True)


def or_none(kind: Kind, word: str) -> Kind:
    """Make a kind that also takes a word for ``None``."""

    def read(value: object) -> object:
        if isinstance(value, str) and value.strip().lower() == word:
            return None
        return kind.read(value)

    def show(value: object) -> str:
        return word if value is None else kind.show(value)

    return replace(kind, read=read, show=show)


def choice(*options: str) -> Kind:
    """Make a kind of fixed words; that the value is one of them is checked with the rest."""
    return replace(TEXT, metavar="|".join(options))


def texts(metavar: str) -> Kind:
    """Make a kind of several texts."""
    return replace(TEXTS, metavar=metavar)
