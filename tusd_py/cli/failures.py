"""What stops a command at its start, in one plain sentence each."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tusd_py.config import Settings
from tusd_py.errors import ConfigError, MetadataError, SchemaTooNew, StorageError
from tusd_py.serving.descriptors import TooFewDescriptors
from tusd_py.serving.listeners import CannotListen

FAILED = 1


class CannotStart(click.ClickException):
    """Ends the command with a sentence on stderr and exit code 1."""

    exit_code = FAILED

    def show(self, file: object = None) -> None:  # noqa: ARG002 - click's signature
        """Write the sentence alone, without a word of click's before it."""
        click.echo(self.message, err=True)


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Turn what can fail at a start into ``CannotStart``."""
    try:
        yield
    except BrokenPipeError:
        # Whoever reads has had enough, which is nothing to tell.
        raise
    except (StorageError, MetadataError) as error:
        raise CannotStart(_of_data(error, settings.data_dir)) from error
    except (ConfigError, TooFewDescriptors, CannotListen) as error:
        raise CannotStart(str(error)) from error
    except OSError as error:
        raise CannotStart(_of_system(error, settings)) from error


def _of_data(error: StorageError | MetadataError, data_dir: Path) -> str:
    folder = data_dir.absolute()
    if isinstance(error, SchemaTooNew):
        return f"{folder}: {error}"
    what = "The database in" if isinstance(error, MetadataError) else "The folder"
    return (
        f"{what} {folder} cannot be used: {_cause(error)}. Check what is there and who may write, "
        "or name another folder with --data-dir."
    )


def _cause(error: Exception) -> str:
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.strerror:
        path = f" ({cause.filename})" if cause.filename else ""
        return f"{cause.strerror}{path}"
    return str(cause or error).rstrip(".")


def _of_system(error: OSError, settings: Settings) -> str:
    if error.filename is not None:
        return _of_data(StorageError(f"{error.strerror} ({error.filename})"), settings.data_dir)
    place = f"{settings.host}, port {settings.port}"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{settings.host} is no address of this machine. Name another with --host."
    if error.errno == errno.EADDRINUSE:
        return (
            f"Another program listens on {place} already. Stop it, or choose another port with "
            "--port."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"This user may not listen on {place}. Choose a port above 1023 with --port, or run "
            "behind a proxy."
        )
    return f"The server cannot listen on {place}: {error.strerror or error}."
