"""A progress bar on a terminal; needs rich, of the extra ``client``."""

from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as RichProgress

from .output import say
from .progress import described

if TYPE_CHECKING:
    from tusd_py.client import Progress, Uploaded, UploadFailed


class Bar:
    """A bar for each file, drawn on stderr."""

    def __init__(self, console: Console | None = None) -> None:
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[said]}"),
            console=console or Console(stderr=True),
        )
        self._task: TaskID | None = None

    def begin(self, name: str) -> None:
        self._bar.start()
        self._task = self._bar.add_task(escape(name), total=None, said="")

    def progress(self, progress: "Progress") -> None:
        if self._task is not None:
            # An empty file is whole from the start.
            total, sent = (progress.total, progress.sent) if progress.total else (1, 1)
            said = escape(described(progress))
            self._bar.update(self._task, total=total, completed=sent, said=said)

    def finished(self, uploaded: "Uploaded") -> None:
        self._bar.stop()
        say(uploaded.url)

    def failed(self, error: "UploadFailed", why: str) -> None:  # noqa: ARG002 - the port's
        self._bar.stop()
        click.echo(why, err=True)

    def close(self) -> None:
        self._bar.stop()
