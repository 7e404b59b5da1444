"""What a command writes for whoever ran it."""

import click

from .failures import CannotStart


def say(text: str) -> None:
    """Write a line to stdout.

    Raises:
        BrokenPipeError: Whoever reads has had enough.
        CannotStart: It cannot be written; what the command did remains done.
    """
    try:
        click.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotStart(f"The output cannot be written: {error.strerror}.") from error
