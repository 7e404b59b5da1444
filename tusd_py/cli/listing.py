"""``tusd-py list`` and ``tusd-py inspect``: what a server has, which may be running."""

import asyncio
import json
import time
from collections.abc import Iterable, Iterator

import click

from tusd_py.config import Settings
from tusd_py.metadata.listing import Filter, find_upload, list_uploads
from tusd_py.protocol.upload import Upload, UploadId

from . import table
from .facts import facts, metadata, state
from .facts import time as shown_time
from .failures import FAILED, explained
from .folder import existing_database
from .kinds import NUMBER, TEXT
from .output import say
from .plain import read_options, refuse

_HEADS = ("ID", "STATE", "OFFSET", "LENGTH", "CREATED", "SUBJECT", "NAME")
# Wide enough for what there usually is; the last column needs none.
_WIDTHS = (44, 10, 14, 14, 20, 12, 0)


def list_all(settings: Settings, *, as_json: bool, **options: object) -> int:
    """Write the uploads that are wanted, a page at a time; returns the exit code."""
    now = time.time()
    wanted = _filter(options, now)
    database = existing_database(settings)
    with explained(settings):
        pages = list_uploads(database, wanted)
        for text in _json_pages(pages, now) if as_json else _table_pages(pages, now):
            say(text)
    return 0


def inspect(settings: Settings, upload_id: str, *, as_json: bool) -> int:
    """Write all that is known of one upload; returns the exit code."""
    database = existing_database(settings)
    with explained(settings):
        upload = find_upload(database, UploadId(upload_id))
        if upload is None:
            click.echo(f"There is no upload {table.printable(upload_id)}.", err=True)
            return FAILED
        told = {**facts(upload, time.time()), **asyncio.run(_stored(settings, upload))}
    if as_json:
        say(json.dumps(told, indent=2))
    else:
        rows = [(name, _plain(value)) for name, value in told.items() if name != "raw_metadata"]
        table.show(("FACT", "VALUE"), rows)
    return 0


async def _stored(settings: Settings, upload: Upload) -> dict[str, object]:
    """What the disk has of it."""
    from tusd_py.wiring import backends

    file = None
    if upload.finished and upload.path is not None:
        file = str(settings.data_dir.absolute() / "files" / upload.path)
    # Not started: that would make folders and change nothing here.
    return {"stored": await backends(settings).storage.size(upload), "file": file}


def _filter(options: dict[str, object], now: float) -> Filter:
    given = {name: options[name] for name in ("subject", "after", "limit")}
    values, problems = read_options(given, {"subject": TEXT, "after": TEXT, "limit": NUMBER})
    if "limit" in values and values["limit"] < 1:  # type: ignore[operator]
        problems.append("--limit: Give a number from 1 on.")
    if options["finished"] and options["unfinished"]:
        problems.append("--finished: This and --unfinished leave nothing.")
    if problems:
        refuse(problems)
    finished = True if options["finished"] else False if options["unfinished"] else None
    return Filter(
        finished=finished,
        expired_at=now if options["expired"] else None,
        **values,  # type: ignore[arg-type]
    )


def _json_pages(pages: Iterable[list[Upload]], now: float) -> Iterator[str]:
    """One array, each upload on a line of its own, for those who read line by line."""
    before = "["
    for page in pages:
        rows = ",\n".join(json.dumps(facts(upload, now)) for upload in page)
        yield f"{before}{rows}" if before == "[" else f",{rows}"
        before = ","
    yield "[]" if before == "[" else "]"


def _table_pages(pages: Iterable[list[Upload]], now: float) -> Iterator[str]:
    yield table.line(_HEADS, _WIDTHS)
    for page in pages:
        yield "\n".join(table.line(_row(upload, now), _WIDTHS) for upload in page)


def _row(upload: Upload, now: float) -> tuple[str, ...]:
    return (
        upload.id,
        state(upload, now),
        str(upload.offset),
        "-" if upload.length is None else str(upload.length),
        shown_time(upload.created_at) or "-",
        table.printable(upload.subject or "-"),
        table.printable(metadata(upload).get("filename", "-")),
    )


def _plain(value: object) -> str:
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{name}={table.printable(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(value)
    return table.printable(str(value))
