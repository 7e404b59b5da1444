"""``tusd-py clients``: what a server remembers of its clients."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tusd_py.config import Settings
from tusd_py.metadata import ClientStore
from tusd_py.quantities import format_latency, format_share

from . import table
from .command import SettingsCommand, json_option, settings_named
from .facts import time as shown_time
from .failures import FAILED, explained
from .folder import opened_metadata
from .output import say
from .plain import refuse

if TYPE_CHECKING:
    from tusd_py.network.clients import ClientProfile

_PAGE = 500
_HEADS = ("KEY", "SEEN", "TRANSFERS", "RELIABILITY", "RATE", "LATENCY", "CHUNK")

T = TypeVar("T")


@click.group(name="clients")
def clients() -> None:
    """List, show and forget what a server remembers of its clients for a day.

    A client is "subject:NAME" or else "address:ADDRESS". The server may be running: it writes what
    it learns every few seconds, and notices within ten that a client was forgotten.
    """


def _list(settings: Settings, *, as_json: bool) -> int:
    """Write all of them, by key."""
    profiles = _run(settings, _all)
    if as_json:
        say(json.dumps([_facts(settings, each) for each in profiles], indent=2))
    elif profiles:
        table.show(_HEADS, [_row(settings, each) for each in profiles])
    return 0


def _show(settings: Settings, key: str, *, as_json: bool) -> int:
    """Write all that is known of one."""
    found = _run(settings, lambda store: store.find([key]))
    if not found:
        return _unknown([key])
    facts = _facts(settings, found[0])
    if as_json:
        say(json.dumps(facts, indent=2))
    else:
        rows = [(name, _plain(value)) for name, value in facts.items()]
        table.show(("FACT", "VALUE"), rows)
    return 0


def _forget(settings: Settings, keys: tuple[str, ...], *, every: bool, as_json: bool) -> int:
    """Remove some, or all."""
    if bool(keys) == every:
        refuse(["Name the clients by their keys, or all with --all."])

    async def work(store: ClientStore) -> list[str] | int:
        return await store.forget_all() if every else [*await store.forget(dict.fromkeys(keys))]

    forgotten = _run(settings, work)
    count = forgotten if isinstance(forgotten, int) else len(forgotten)
    if as_json:
        say(json.dumps({"forgotten": forgotten}))
    else:
        say(f"Forgotten: {count} {'client' if count == 1 else 'clients'}.")
    missing = [] if isinstance(forgotten, int) else [key for key in keys if key not in forgotten]
    return _unknown(missing) if missing else 0


async def _all(store: ClientStore) -> "list[ClientProfile]":
    profiles: list[ClientProfile] = []
    while page := await store.page(after=profiles[-1].key if profiles else None, limit=_PAGE):
        profiles += page
    return profiles


def _run(settings: Settings, work: Callable[[ClientStore], Coroutine[Any, Any, T]]) -> T:
    async def run() -> T:
        async with opened_metadata(settings) as metadata:
            return await work(metadata.clients)

    with explained(settings):
        return asyncio.run(run())


def _unknown(keys: list[str]) -> int:
    for key in keys:
        click.echo(f"There is no client {table.printable(key)}.", err=True)
    return FAILED


def _facts(settings: Settings, profile: "ClientProfile") -> dict[str, object]:
    """What there is to say, with names that programs can rely on."""
    quality = profile.quality
    return {
        "key": profile.key,
        "first_seen": shown_time(profile.first_seen),
        "last_seen": shown_time(profile.last_seen),
        "transfers": profile.transfers,
        "downloads": profile.downloads,
        "reliability": _rounded(profile.reliability, 4),
        "rate": _rounded(quality.rate),
        "latency": _rounded(quality.latency, 6),
        "jitter": _rounded(quality.jitter, 6),
        "loss": _rounded(quality.loss, 6),
        "score": _rounded(quality.score, 3),
        "download_rate": _rounded(profile.download_rate),
        "chunk_size": _chunk_size(settings, profile),
        "interfaces": [each._asdict() for each in profile.interfaces],
    }


def _rounded(value: float | None, digits: int | None = None) -> float | None:
    return None if value is None else round(value, digits)


def _chunk_size(settings: Settings, profile: "ClientProfile") -> int:
    """What it is advised for a file that is large enough."""
    from tusd_py.network.advice import advise

    algorithm = settings.app.streaming.chunk_adaptation_algorithm
    return advise(algorithm, profile, None, None, settings.app.max_size)


def _row(settings: Settings, profile: "ClientProfile") -> tuple[str, ...]:
    quality = profile.quality
    return (
        table.printable(profile.key),
        shown_time(profile.last_seen) or "-",
        str(profile.transfers),
        "-" if profile.reliability is None else format_share(profile.reliability),
        "-" if quality.rate is None else f"{quality.rate / 1e6:.2f} MB/s",
        "-" if quality.latency is None else format_latency(quality.latency),
        str(_chunk_size(settings, profile)),
    )


def _plain(value: object) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, list):
        return ", ".join(f"{each['name']} ({each['kind']}): {each['times']}" for each in value)
    return table.printable(str(value))


_SETTINGS = settings_named("data_dir")

clients.add_command(
    SettingsCommand("list", _list, _SETTINGS, "Write all clients.", own=[json_option()])
)
clients.add_command(
    SettingsCommand(
        "show",
        _show,
        _SETTINGS,
        "Write all that is known of the client KEY; exit code 1 if that is nothing.",
        own=[click.Argument(["key"], metavar="KEY"), json_option()],
    )
)
clients.add_command(
    SettingsCommand(
        "forget",
        _forget,
        _SETTINGS,
        "Forget the clients KEY..., or all of them. Exit code 1 if one was not known.",
        own=[
            click.Argument(["keys"], metavar="KEY...", nargs=-1),
            click.Option(["every", "--all"], is_flag=True, help="All of them."),
            json_option(),
        ],
    )
)
