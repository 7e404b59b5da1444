"""What values have to be: each check says in a sentence what is wrong, or nothing."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from tusd_py.errors import ConfigError
from tusd_py.quantities import days, shown

Check = Callable[[object], str | None]
"""Says in a sentence what is wrong with a value, or nothing."""

# What fits a file offset and an SQLite integer.
_MOST_BYTES = 2**63 - 1
# Further away there are no dates to put into headers.
_MOST_DAYS = 36_500

HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def test(is_good: Callable[[object], bool], kind: str) -> Check:
    """Want what a function finds good."""
    return lambda value: None if is_good(value) else f"{shown(value)} is not {kind}."


def whole(low: int, high: int, of: str) -> Check:
    """Want a whole number."""
    kind = f"a {of} from {low} to {high}"
    return test(lambda value: type(value) is int and low <= value <= high, kind)


def within(low: float, high: float, kind: str) -> Check:
    """Want a number, whole or not."""

    def is_good(value: object) -> bool:
        return (type(value) is int or type(value) is float) and low <= value <= high

    return test(is_good, kind)


def seconds(*, zero: bool = False) -> Check:
    """Want a number of seconds."""

    def is_good(value: object) -> bool:
        if type(value) is not int and type(value) is not float:
            return False
        return (value > 0 or (zero and value == 0)) and value <= days(_MOST_DAYS)

    low = "0" if zero else "more than 0"
    return test(is_good, f"a number of seconds, {low} and at most {_MOST_DAYS} days")


def one_of(*options: object) -> Check:
    """Want one of several values."""
    return test(lambda value: value in options, "one of " + ", ".join(map(shown, options)))


def text(pattern: re.Pattern[str], kind: str) -> Check:
    """Want text of a form."""
    return test(lambda value: isinstance(value, str) and bool(pattern.fullmatch(value)), kind)


def instance(kind: type, name: str) -> Check:
    """Want an object of a class."""
    return test(lambda value: isinstance(value, kind), name)


def optional(check: Check) -> Check:
    """Want None, or what another check wants."""
    return lambda value: None if value is None else check(value)


def each(check: Check) -> Check:
    """Want a tuple of what another check wants."""

    def problem(value: object) -> str | None:
        if not isinstance(value, tuple):
            return f"{shown(value)} is not a tuple."
        return " ".join(filter(None, map(check, value))) or None

    return problem


BYTES: Final = whole(1, _MOST_BYTES, "number of bytes")
YES_OR_NO: Final = instance(bool, "true or false")


def problems_of(values: object, checks: Mapping[str, Check]) -> list[str]:
    """Tell what is wrong with the attributes of an object, each as ``name: sentence``."""
    found = ((name, check(getattr(values, name))) for name, check in checks.items())
    return [f"{name}: {problem}" for name, problem in found if problem]


def refuse(problems: list[str]) -> None:
    """Raise if there are problems.

    Raises:
        ConfigError: There are.
    """
    if problems:
        raise ConfigError(problems)
