"""``tusd-py network``: the machine's links, once or as they change."""

import asyncio
import os
import sys

import click

from tusd_py import config, telemetry
from tusd_py.network.health import Limits
from tusd_py.network.links import Links, News
from tusd_py.network.monitor import POLL, Monitor
from tusd_py.network.probe import Target
from tusd_py.network.selection import Rules

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
        links = make_links(settings, monitor)
        for _ in range(_MEASUREMENTS):
            await links.measure()
            await asyncio.sleep(_APART)
        look = Look(monitor.interfaces, links.qualities, links.active, links.history)
        click.echo(as_object(look) if as_json else as_table(look))
        if watch:
            await links.run(tell)


def make_links(settings: config.Network, monitor: Monitor) -> Links:
    """Put together what settings ask for."""
    target = settings.probe_target
    rules = Rules(
        priority=settings.interface_priority,
        automatic=settings.auto_switch_enabled,
        limits=Limits(
            latency=settings.switch_threshold_latency,
            loss=settings.switch_threshold_packet_loss,
        ),
        dwell=settings.switch_dwell,
        return_after=settings.switch_return,
    )
    links = Links(
        monitor,
        rules,
        target=Target.parse(target) if target is not None else None,
        every=settings.probe_interval,
    )
    links.override(settings.interface_override)
    return links
