"""``tusd-py hooks``: what applications were told in vain, and what to do about it."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from tusd_py.config import Settings
from tusd_py.metadata import Event, Metadata

from .failures import FAILED, explained
from .folder import opened_metadata
from .output import say
from .plain import PlainCommand, option, refuse

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_PAGE = 500
_HEAD = ("ID", "HOOK", "UPLOAD", "STATE", "ATTEMPTS", "SINCE", "ERROR")

_data_dir = option("--data-dir", "FOLDER", "The server's folder. Default: data.")
_ids = click.argument("ids", nargs=-1, metavar="[ID]...")
_all = click.option("--all", "every", is_flag=True, help="All that are dead.")


@click.group(name="hooks")
def hooks() -> None:
    """List, retry and drop what the application has still to be told.

    The server may be running, and notices within a second.
    """


@hooks.command("list", cls=PlainCommand)
@_data_dir
@click.option("--dead", is_flag=True, help="Only what was told in vain too often.")
@click.option("--json", "as_json", is_flag=True, help="A JSON array instead of a table.")
def list_events(data_dir: str | None, *, dead: bool, as_json: bool) -> None:
    """Print what is waiting to be told, and what was told in vain too often, oldest first."""
    events = _run(data_dir, lambda metadata: _all_events(metadata, dead=True if dead else None))
    if as_json:
        say(json.dumps([_facts(event) for event in events], indent=2))
        return
    rows = [_HEAD, *map(_row, events)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows if events else []:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say("  ".join(cells).rstrip())


@hooks.command("retry", cls=PlainCommand)
@_ids
@_all
@_data_dir
def retry(ids: tuple[str, ...], data_dir: str | None, *, every: bool) -> None:
    """Tell events ID again, now and as often as if they were new."""

    async def again(metadata: Metadata, event: Event) -> None:
        await metadata.change_event(replace(event, dead=False, attempts=0, due_at=0.0))

    _for_each(data_dir, ids, again, "To be told again", every=every)


@hooks.command("drop", cls=PlainCommand)
@_ids
@_all
@_data_dir
def drop(ids: tuple[str, ...], data_dir: str | None, *, every: bool) -> None:
    """Forget events ID: nobody will be told of them."""

    async def forget(metadata: Metadata, event: Event) -> None:
        await metadata.settle(event.id)

    _for_each(data_dir, ids, forget, "Dropped", every=every)


def _for_each(
    data_dir: str | None,
    ids: tuple[str, ...],
    do: Callable[[Metadata, Event], Coroutine[Any, Any, None]],
    done: str,
    *,
    every: bool,
) -> None:
    """Do something about the events that are named, and say about how many."""
    if bool(ids) == every:
        refuse(["Name the events by their ids, or all that are dead with --all."])

    async def work(metadata: Metadata) -> set[str]:
        events = await _all_events(metadata, dead=True if every else None)
        chosen = [event for event in events if every or event.id in ids]
        for event in chosen:
            await do(metadata, event)
        return {event.id for event in chosen}

    found = _run(data_dir, work)
    say(f"{done}: {len(found)} {'event' if len(found) == 1 else 'events'}.")
    missing = [each for each in ids if each not in found]
    for each in missing:
        click.echo(f"There is no event {each}.", err=True)
    if missing:
        raise SystemExit(FAILED)


async def _all_events(metadata: Metadata, *, dead: bool | None) -> list[Event]:
    events: list[Event] = []
    while page := await metadata.events(_PAGE, after=events[-1].number if events else 0, dead=dead):
        events += page
    return events


T = TypeVar("T")


def _run(data_dir: str | None, work: Callable[[Metadata], Coroutine[Any, Any, T]]) -> T:
    settings = Settings(data_dir=Path(data_dir or "data"))

    async def run() -> T:
        async with opened_metadata(settings) as metadata:
            return await work(metadata)

    with explained(settings):
        return asyncio.run(run())


def _facts(event: Event) -> dict[str, object]:
    return {
        "id": event.id,
        "hook": event.name,
        "upload": event.upload_id,
        "state": _state(event),
        "attempts": event.attempts,
        "since": _when(event.created_at),
        "due": None if event.dead or not event.attempts else _when(event.due_at),
        "error": event.error,
    }


def _row(event: Event) -> tuple[str, ...]:
    since = _when(event.created_at) or "-"
    return (
        event.id,
        event.name,
        event.upload_id,
        _state(event),
        str(event.attempts),
        since,
        event.error or "-",
    )


def _state(event: Event) -> str:
    return "dead" if event.dead else "waiting"


def _when(seconds: float) -> str | None:
    """A time as people and programs read it; None for what an older version did not note."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else None
