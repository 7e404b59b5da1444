"""Commands that are not about settings: each thing that is wrong is told in a line, exit code 2."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import click

from tusd_py.errors import ConfigError
from tusd_py.quantities import shown

from .failures import CannotStart
from .kinds import Kind

BAD_ARGUMENTS = 2

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any] | click.Command)


class PlainCommand(click.Command):
    """A command that tells what is wrong with its arguments without a page of usage before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, or end the process with one sentence."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            refuse([error.format_message()])


def refuse(problems: list[str]) -> NoReturn:
    """End the process with a line for each problem."""
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(BAD_ARGUMENTS)


def read_options(
    given: Mapping[str, object], kinds: Mapping[str, Kind]
) -> tuple[dict[str, object], list[str]]:
    """Read the options that were given; returns their values and what is wrong with the others."""
    values: dict[str, object] = {}
    problems = []
    for name, kind in kinds.items():
        if given[name] is None or given[name] == ():
            continue
        try:
            values[name] = kind.read(given[name])
        except ValueError as error:
            problems.append(f"--{name.replace('_', '-')}: {error}")
    return values, problems


def read_pairs(given: Sequence[str], problems: list[str]) -> dict[str, str]:
    """Read the pairs of ``--metadata``; what is wrong with them is added to the problems."""
    pairs: dict[str, str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or name in pairs:
            why = "has this name a second time" if equals else "is not of the form NAME=VALUE"
            problems.append(f"--metadata: {shown(pair)} {why}.")
        pairs[name] = value
    return pairs


@contextmanager
def told(file: str) -> Iterator[None]:
    """End the process with sentences where keys or arguments are wrong, or their file fails.

    Raises:
        CannotStart: The file cannot be written.
    """
    try:
        yield
    except ConfigError as error:
        refuse([*error.problems])
    except ValueError as error:
        refuse([str(error)])
    except OSError as error:
        raise CannotStart(f"{file} cannot be written: {error.strerror}.") from error


def option(
    name: str, metavar: str, about: str, *, required: bool = False, multiple: bool = False
) -> Callable[[_Decorated], _Decorated]:
    """Give a command an option whose value is text, to be read later with all others."""
    return click.option(name, metavar=metavar, help=about, required=required, multiple=multiple)
