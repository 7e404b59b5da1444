"""``tusd-py upload``: files to a tus server, over networks that come and go."""

import asyncio
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tusd_py.errors import ConfigError

from .failures import FAILED
from .kinds import DURATION, NUMBER, SIZE, TEXT, Kind
from .plain import PlainCommand, option, read_options, read_pairs, refuse
from .progress import Reporter, reporter

if TYPE_CHECKING:
    from tusd_py.client import Options, Uploader

INTERRUPTED = 130

_KINDS: Mapping[str, Kind] = {
    "chunk_size": SIZE,
    "parallel": NUMBER,
    "checksum": TEXT,
    "patience": DURATION,
}
_GOES_ON = "The same command goes on where it stopped."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What is asked for, found to be possible."""

    files: Sequence[Path]
    uploader: "Uploader"
    metadata: Mapping[str, str]
    reporter: Reporter
    remembers: bool


@click.command("upload", cls=PlainCommand)
@click.argument("files", nargs=-1, metavar="FILE...")
@click.argument("url", metavar="URL")
@click.option(
    "--token",
    metavar="GRANT",
    envvar="TUSD_UPLOAD_TOKEN",
    help="A creation grant or another bearer token. Other users of this machine see arguments; "
    "the variable TUSD_UPLOAD_TOKEN is for where that matters.",
)
@option("--chunk-size", "SIZE", "Most bytes of one request, such as 8MiB. Default: all in one.")
@option("--parallel", "NUMBER", "How many parts to send at once, where the server can. Default: 1.")
@option("--checksum", "NAME", "Have the server verify every chunk: sha256, or another of its own.")
@option(
    "--metadata",
    "NAME=VALUE",
    "A pair to send beside filename and filetype, or instead of them. May be repeated.",
    multiple=True,
)
@option("--patience", "DURATION", "Give up after so long without progress. Default: 10m.")
@click.option("--by-content", is_flag=True, help="Tell files apart by their SHA-256 as well.")
@click.option(
    "--no-resume",
    is_flag=True,
    help="Neither look for an unfinished upload, nor remember this one for another run.",
)
@click.option(
    "--no-links",
    is_flag=True,
    help="Don't watch this machine's links: a dead connection is noticed by its silence.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each event.")
def upload(files: tuple[str, ...], url: str, **given: Any) -> NoReturn:  # noqa: ANN401 - click's
    """Upload each FILE to the tus server at URL, and print the uploads' URLs.

    Started again, it goes on with what an earlier run left unfinished.
    """
    job = _prepared([Path(name) for name in files], url, given)
    try:
        code = asyncio.run(_upload(job))
    except KeyboardInterrupt:
        job.reporter.close()
        click.echo(f"Interrupted. {_GOES_ON if job.remembers else ''}".rstrip(), err=True)
        code = INTERRUPTED
    sys.exit(code)


def _prepared(files: list[Path], url: str, given: dict[str, Any]) -> _Job:
    from tusd_py.client import Uploader

    problems = _unreadable(files)
    options = _options(given, problems)
    pairs = read_pairs(given["metadata"], problems)
    try:
        uploader = Uploader(
            url,
            token=given["token"],
            options=options,
            links=None if given["no_links"] else "auto",
            remember=not given["no_resume"],
        )
    except ValueError as error:
        problems.append(str(error))
    if problems:
        refuse(problems)
    return _Job(
        files=files,
        uploader=uploader,
        metadata=pairs,
        reporter=reporter(as_json=given["as_json"]),
        remembers=not given["no_resume"],
    )


def _unreadable(files: list[Path]) -> list[str]:
    from tusd_py.client import FileUnreadable
    from tusd_py.client.source import Source

    problems = [] if files else ["Name one file at least, and the URL after it."]
    for file in files:
        try:
            Source(file).close()
        except FileUnreadable as error:
            problems.append(str(error))
    return problems


def _options(given: dict[str, Any], problems: list[str]) -> "Options":
    from tusd_py.client import Options

    values, wrong = read_options(given, _KINDS)
    problems.extend(wrong)
    chosen: dict[str, Any] = {**values, "by_content": given["by_content"]}
    try:
        return Options(**chosen)
    except ConfigError as error:
        problems.extend(f"--{problem.replace('_', '-', 1)}" for problem in error.problems)
        return Options()


async def _upload(job: _Job) -> int:
    from tusd_py.client import UploadFailed
    from tusd_py.client.uploader import usual_metadata

    code = 0
    for file in job.files:
        metadata = {**await asyncio.to_thread(usual_metadata, file), **job.metadata}
        job.reporter.begin(file.name)
        try:
            uploaded = await job.uploader.upload(
                file, metadata=metadata, on_progress=job.reporter.progress
            )
        except UploadFailed as error:
            more = f" {_GOES_ON}" if error.resumable and job.remembers else ""
            job.reporter.failed(error, f"{error}{more}")
            code = FAILED
        except Exception as error:
            # A defect, which the other files may not meet.
            job.reporter.failed(UploadFailed(), f"This is a defect of tusd-py: {_place(error)}.")
            code = FAILED
        else:
            job.reporter.finished(uploaded)
    job.reporter.close()
    return code


def _place(error: Exception) -> str:
    """Which error it is and where it came from; its text may have a URL, which is a secret."""
    origin = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(origin.filename).name}, line {origin.lineno}"
