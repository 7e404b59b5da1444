"""How links look: a table and lines for people, JSON for programs."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial

from tusd_py.network import AddressesChanged, Interface, Settled, Snapshot
from tusd_py.network.book import Book
from tusd_py.network.links import News
from tusd_py.network.quality import UNKNOWN, Quality
from tusd_py.network.selection import Switch
from tusd_py.quantities import format_latency, format_share

from .table import printable

_HEADINGS = ("", "interface", "kind", "state", "addresses", "speed", "latency", "loss", "score")
_to_json = partial(json.dumps, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Look:
    """All that is known at one moment."""

    interfaces: Snapshot
    qualities: Mapping[str, Quality]
    active: Interface | None
    history: Sequence[Switch]
    server: Book | None = None
    """What the server wrote down."""


def as_table(look: Look) -> str:
    """The interfaces, the one in use, and how that came about."""
    rows = [_HEADINGS, *(_row(each, look) for each in look.interfaces.values())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    active = "No interface can be used." if look.active is None else f"In use: {look.active.name}"
    told = [*lines, "", active, *map(as_line, look.history)]
    return "\n".join(told if look.server is None else [*told, "", *_server_lines(look.server)])


def as_line(news: News) -> str:
    """One event in a line."""
    if isinstance(news, Switch):
        return (
            f"{_clock(news.at)}  {news.before or 'none'} -> {news.after or 'none'}: {news.detail}"
        )
    now = _clock(time.monotonic())
    if isinstance(news, Settled):
        return f"{now}  {news.interface} has settled after {_times(news.seen)}"
    return f"{now}  {news}"


def as_object(look: Look) -> str:
    """All of a look, as a line of JSON."""
    return _to_json(
        {
            "event": "state",
            "at": _moment(time.monotonic()),
            "active": look.active.name if look.active is not None else None,
            "interfaces": [
                _interface(each, look.qualities.get(each.name, UNKNOWN))
                for each in look.interfaces.values()
            ],
            "history": [_switch(switch) for switch in look.history],
            "server": _server(look.server) if look.server is not None else None,
        }
    )


def news_as_object(news: News) -> str:
    """One event as a line of JSON."""
    if isinstance(news, Switch):
        return _to_json({"event": "switch", **_switch(news)})
    told: dict[str, object] = {"at": _moment(time.monotonic()), "interface": news.interface}
    if isinstance(news, Settled):
        changes = [change.name for change in news.changes]
        return _to_json({"event": "settled", **told, "seen": news.seen, "changes": changes})
    if isinstance(news, AddressesChanged):
        told |= {"gained": [*map(str, news.gained)], "lost": [*map(str, news.lost)]}
    return _to_json({"event": news.name, **told})


def _row(interface: Interface, look: Look) -> tuple[str, ...]:
    quality = look.qualities.get(interface.name, UNKNOWN)
    return (
        "*" if interface is look.active else "",
        interface.name,
        interface.kind,
        "up" if interface.up else "down",
        ", ".join(map(str, interface.addresses)) or "-",
        f"{interface.speed} Mbit/s" if interface.speed is not None else "-",
        format_latency(quality.latency) if quality.latency is not None else "-",
        format_share(quality.loss) if quality.loss is not None else "-",
        f"{quality.score:.2f}" if quality.score is not None else "-",
    )


def _interface(interface: Interface, quality: Quality) -> dict[str, object]:
    counters = asdict(interface.counters) if interface.counters is not None else None
    return {
        "name": interface.name,
        "kind": interface.kind,
        "up": interface.up,
        "usable": interface.usable,
        "addresses": [*map(str, interface.addresses)],
        "speed_mbit": interface.speed,
        "mtu": interface.mtu,
        "counters": counters,
        "quality": {**asdict(quality), "score": quality.score},
    }


def _switch(switch: Switch) -> dict[str, object]:
    return {**asdict(switch), "at": _moment(switch.at)}


def _server_lines(book: Book) -> list[str]:
    uses = "uses" if book.running else "runs no more; it used"
    used = f"The server {uses} {book.active or 'none'} since {_date(book.since)}."
    switches = [
        f"{_date(each.at)}  {each.before or 'none'} -> {each.after or 'none'}: {each.detail}"
        for each in book.switches
    ]
    return [*map(printable, (used, *switches))]


def _server(book: Book) -> dict[str, object]:
    return {
        "running": book.running,
        "active": book.active,
        "since": _iso(book.since),
        "history": [{**asdict(each), "at": _iso(each.at)} for each in book.switches],
    }


def _times(seen: int) -> str:
    return "one change" if seen == 1 else f"{seen} changes"


def _wall(monotonic: float) -> datetime:
    return datetime.fromtimestamp(time.time() - time.monotonic() + monotonic, UTC)


def _moment(monotonic: float) -> str:
    return _wall(monotonic).isoformat(timespec="milliseconds")


def _iso(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds")


def _date(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _clock(monotonic: float) -> str:
    return _wall(monotonic).astimezone().strftime("%H:%M:%S")
