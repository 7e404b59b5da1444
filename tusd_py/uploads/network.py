"""The machine's links, watched for as long as the engine runs."""

from functools import partial

from tusd_py.network import Monitor
from tusd_py.network.links import links_of

from .engine import Engine, log
from .sessions import Sessions
from .switches import begin_book, hear


async def watch_network(engine: Engine) -> None:
    """Begin to watch the links, if that is wanted and the system lets us."""
    settings = engine.config.network
    if not settings.networkchangedetection:
        return
    monitor = Monitor(settle=settings.reconnectdelay)
    try:
        await monitor.start()
    except OSError:
        log.warning("network.unwatched", exc_info=True)
        return
    engine.monitor, engine.links = monitor, links_of(settings, monitor)
    engine.sessions = Sessions(monitor, settings, engine.meters)
    if engine.webhooks is not None:
        engine.webhooks.begin_at(engine.links.preferred)
    await begin_book(engine)
    engine.background.start(engine.links.run(partial(hear, engine)))
    engine.background.start(engine.sessions.run())


async def leave_network(engine: Engine) -> None:
    """Watch no more; what runs in the background has ended."""
    monitor, engine.monitor, engine.links = engine.monitor, None, None
    engine.sessions = None
    if monitor is not None:
        await monitor.close()
