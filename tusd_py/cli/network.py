"""``tusd-py network``: the machine's links, once or as they change."""

import asyncio
import os
import sys

import click

from tusd_py import config, telemetry
from tusd_py.network.links import News, links_of
from tusd_py.network.monitor import POLL, Monitor

from .failures import CannotStart
from .links import Look, as_line, as_object, as_table, news_as_object

# A look is several measurements: counters say nothing by themselves, nor does one probe of loss.
_MEASUREMENTS = 5
_APART = 0.1


def network(settings: config.Network, *, watch: bool, as_json: bool) -> int:
    """Show the links; returns the exit code.

    Raises:
        CannotStart: The system does not tell its interfaces.
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
    except OSError as error:
        raise CannotStart(f"The system does not tell its interfaces: {error.strerror}.") from error
    return 0


async def _run(settings: config.Network, *, watch: bool, as_json: bool) -> None:
    def tell(news: News) -> None:
        click.echo(news_as_object(news) if as_json else as_line(news))

    poll = POLL if watch else _APART
    async with Monitor(poll=poll, settle=settings.reconnectdelay) as monitor:
        links = links_of(settings, monitor)
        for _ in range(_MEASUREMENTS):
            await links.measure()
            await asyncio.sleep(_APART)
        look = Look(monitor.interfaces, links.qualities, links.active, links.history)
        click.echo(as_object(look) if as_json else as_table(look))
        if watch:
            await links.run(tell)
