"""Starting and stopping the engine, once for each event loop."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import psutil

from tusd_py.errors import TusError
from tusd_py.metrics.shared import PUBLISH_SECONDS, SharedMeters
from tusd_py.uploads.engine import Background, Engine, log
from tusd_py.uploads.events import Deliveries
from tusd_py.uploads.expiry import sweep
from tusd_py.uploads.network import leave_network, watch_network
from tusd_py.uploads.outbox import watch
from tusd_py.uploads.remembering import leave_clients, remember_clients
from tusd_py.uploads.scan import recover

# Seconds between two looks at whether another process has ended.
_ASK_AGAIN = 10.0


class Runtime:
    """Owns the engine of the running event loop.

    An application that is embedded without a lifespan starts at its first request, and resources
    of a loop that has ended are left behind when the next one starts.

    Args:
        make_engine: Puts an engine together for a boot of the machine, without any I/O.
        boot_id: Names this boot; None asks the machine.
    """

    def __init__(self, make_engine: Callable[[str], Engine], boot_id: str | None) -> None:
        self._make_engine = make_engine
        self._boot_id = boot_id
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting: asyncio.Task[Engine] | None = None
        self.engine: Engine | None = None

    async def started(self) -> Engine:
        """The engine of this event loop, started by the first who asks.

        Raises:
            StorageError: The storage cannot be used; the next who asks tries again.
            MetadataError: The metadata store cannot be used, likewise.
            ConfigError: Hooks over HTTP lack their secret or their library.
        """
        loop = asyncio.get_running_loop()
        if self.engine is not None and self._loop is loop:
            return self.engine
        if self._starting is None or self._loop is not loop:
            self._loop, self.engine = loop, None
            self._starting = loop.create_task(self._start())
        starting = self._starting
        try:
            self.engine = await asyncio.shield(starting)
        finally:
            # Who asks is cancelled without ending the start for the others who wait.
            if self.engine is None and starting is self._starting and starting.done():
                self._starting = None
        return self.engine

    async def close(self) -> None:
        """End what runs in the background and give everything back."""
        engine, self.engine, self._starting = self.engine, None, None
        if engine is not None:
            await engine.background.close()
            await leave_network(engine)
            await leave_clients(engine)
            if engine.webhooks is not None:
                await engine.webhooks.close()
            if isinstance(engine.meters, SharedMeters):
                await asyncio.to_thread(_publish, engine.meters)
            await engine.locks.close()
            await engine.metadata.close()
            await engine.storage.close()

    async def _start(self) -> Engine:
        if self._boot_id is None:
            self._boot_id = await asyncio.to_thread(_this_boot)
        engine = self._make_engine(self._boot_id)
        durable = engine.config.durability == "disk"
        if engine.webhooks is not None:
            # Before anything is opened, for its settings may be wrong.
            await engine.webhooks.start()
        await engine.storage.start(durable=durable)
        await engine.metadata.start(durable=durable)
        await engine.locks.start()
        engine.background = Background()
        await watch_network(engine)
        remember_clients(engine)
        if engine.hooks.on_finish or engine.webhooks is not None:
            deliveries = Deliveries(engine)
            engine.notify = deliveries.notify
            watch(engine)
            engine.background.start(deliveries.run())
        if isinstance(engine.meters, SharedMeters):
            engine.background.start(_publish_forever(engine.meters))
        if engine.config.recover_at_start:
            engine.background.start(_recover(engine))
        if engine.config.sweep_interval:
            engine.background.start(_sweep_forever(engine))
        return engine


def _this_boot() -> str:
    """This boot of the machine by name, or by its time where it has no name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return str(int(psutil.boot_time()))


async def _publish_forever(meters: SharedMeters) -> None:
    while True:
        await asyncio.sleep(PUBLISH_SECONDS)
        await asyncio.to_thread(_publish, meters)


def _publish(meters: SharedMeters) -> None:
    """Tell other processes what was counted; where that fails, they hear of it later."""
    try:
        meters.publish()
    except OSError:
        log.warning("metrics.not_published", exc_info=True)


async def _recover(engine: Engine) -> None:
    """Clean up once this process leads, and again after others died."""
    wanted = True
    while True:
        # One of several processes does it: the first, and whichever takes its place.
        if engine.locks.leads():
            wanted = await engine.locks.others_died() or wanted
            try:
                if wanted:
                    await recover(engine)
                    wanted = False
            except TusError:
                log.exception("recovery.failed")
        await asyncio.sleep(_ASK_AGAIN)


async def _sweep_forever(engine: Engine) -> None:
    while True:
        await asyncio.sleep(engine.config.sweep_interval)
        try:
            if engine.locks.leads():
                await sweep(engine)
        except TusError:
            engine.meters.sweep_failures.add()
            log.exception("sweep.failed")
