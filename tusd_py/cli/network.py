"""``tusd-py network``: the machine's links, once or as they change."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click

from tusd_py import telemetry
from tusd_py.config import Settings
from tusd_py.network.book import Book, read_book
from tusd_py.network.links import News, links_of
from tusd_py.network.monitor import POLL, Monitor
from tusd_py.wiring import switches

from .failures import CannotStart
from .links import Look, as_line, as_object, as_table, news_as_object
from .output import say

# A look is several measurements: counters say nothing by themselves, nor does one probe of loss.
_MEASUREMENTS = 5
_APART = 0.1


def network(settings: Settings, *, watch: bool, as_json: bool) -> int:
    """Show the links; returns the exit code.

    Raises:
        CannotStart: The system does not tell its interfaces, or nothing can be written.
    """
    telemetry.configure("none", "warning", sys.stderr)
    try:
        asyncio.run(_run(settings, watch=watch, as_json=as_json))
    except KeyboardInterrupt:
        # That is how watching ends.
        return 0
    except BrokenPipeError:
        # Whoever read has seen enough; what is left in the buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


async def _run(chosen: Settings, *, watch: bool, as_json: bool) -> None:
    settings = chosen.app.network

    def tell(news: News) -> None:
        say(news_as_object(news) if as_json else as_line(news))

    poll = POLL if watch else _APART
    async with _watching(Monitor(poll=poll, settle=settings.reconnectdelay)) as monitor:
        links = links_of(settings, monitor)
        for _ in range(_MEASUREMENTS):
            await links.measure()
            await asyncio.sleep(_APART)
        server = await asyncio.to_thread(_server, switches(chosen))
        look = Look(monitor.interfaces, links.qualities, links.active, links.history, server)
        say(as_object(look) if as_json else as_table(look))
        if watch:
            await links.run(tell)


@asynccontextmanager
async def _watching(monitor: Monitor) -> AsyncIterator[Monitor]:
    try:
        await monitor.start()
    except OSError as error:
        raise CannotStart(f"The system does not tell its interfaces: {error.strerror}.") from error
    try:
        yield monitor
    finally:
        await monitor.close()


def _server(path: Path) -> Book | None:
    """What the server wrote down; None if there is nothing, or nothing that can be read."""
    try:
        return read_book(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is broken"
        click.echo(
            f"{path}, where the server writes its switches, cannot be read: {why}.", err=True
        )
        return None
