"""All links together: seen, measured, and one of them in use."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

from tusd_py.config import Network

from .changes import Change
from .health import Limits
from .interfaces import Interface, IPAddress
from .meter import Meter
from .monitor import Monitor
from .probe import Target, probe
from .quality import UNKNOWN, Quality
from .selection import Candidate, Rules, Selector, Switch
from .settling import Settled
from .ways import Place, preferred

News = Change | Settled | Switch

MEASURE_EVERY: Final = 1.0


class Links:
    """Measures the links that a monitor sees, and chooses the one to use.

    Args:
        monitor: Sees them; it was started, and is closed by whoever started it.
        rules: How to choose.
        target: Where probes connect to; None probes nothing.
        every: Seconds between two measurements.
        clock: Gives seconds that never go back.
    """

    def __init__(
        self,
        monitor: Monitor,
        rules: Rules,
        *,
        target: Target | None = None,
        every: float = MEASURE_EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monitor = monitor
        self._selector = Selector(rules)
        self._target = target
        self._every = every
        self._tell: Callable[[News], None] | None = None
        self._clock = clock
        self._meters: dict[tuple[str, int], Meter] = {}

    @property
    def active(self) -> Interface | None:
        """The one to use; None if there is none."""
        return self._monitor.interfaces.get(self._selector.active or "")

    @property
    def history(self) -> tuple[Switch, ...]:
        """The latest switches, in their order."""
        return self._selector.history

    @property
    def qualities(self) -> Mapping[str, Quality]:
        """What is known of each interface, by its name."""
        return {name: self._quality(each) for name, each in self._monitor.interfaces.items()}

    def source(self, version: int) -> IPAddress | None:
        """The address to begin connections of an IP version from; None leaves it to the system."""
        active = self.active
        return active.source(version) if active is not None and active.usable else None

    def preferred(self, place: Place) -> Interface | None:
        """The one to use, if a connection is to begin there that the system would begin elsewhere.

        See ``ways.preferred``.
        """
        return preferred(self.active, place)

    def override(self, name: str | None) -> None:
        """Use this interface whenever it can be used; None goes back to choosing."""
        self._selector.override = name
        self.choose()

    async def run(self, tell: Callable[[News], None] | None = None) -> None:
        """Follow the monitor and measure, until it is cancelled or the monitor is closed.

        Args:
            tell: Called with what happens meanwhile; what it raises ends this.
        """
        self._tell = tell
        work = {asyncio.create_task(self._follow()), asyncio.create_task(self._measure_forever())}
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._tell = None
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def measure(self) -> None:
        """Take one measurement of each link."""
        interfaces = self._monitor.interfaces
        self._meters = {
            (each.name, each.index): self._meters.get((each.name, each.index)) or Meter()
            for each in interfaces.values()
        }
        now = self._clock()
        for each in interfaces.values():
            self._meter(each).counted(each.counters, now)
        if self._target is not None:
            await asyncio.gather(
                *(
                    self._probe(each, self._target)
                    for each in interfaces.values()
                    if each.usable and each.outer
                )
            )
        self.choose()

    def choose(self) -> None:
        """Decide again which one to use."""
        candidates = [self._candidate(each) for each in self._monitor.interfaces.values()]
        switch = self._selector.choose(candidates, self._clock())
        if switch is not None:
            self._news(switch)

    async def _follow(self) -> None:
        with self._monitor.subscribe() as events:
            async for event in events:
                self._news(event)
                self.choose()

    def _news(self, news: News) -> None:
        if self._tell is not None:
            self._tell(news)

    async def _measure_forever(self) -> None:
        while True:
            await self.measure()
            await asyncio.sleep(self._every)

    async def _probe(self, interface: Interface, target: Target) -> None:
        meter = self._meter(interface)
        seconds = await probe(target, interface)
        # A link that was lost meanwhile says nothing about how good it is.
        now = self._monitor.interfaces.get(interface.name)
        if seconds is not None or (now is not None and now.usable):
            meter.probed(seconds)

    def _candidate(self, interface: Interface) -> Candidate:
        return Candidate(
            interface.name,
            interface.kind,
            usable=interface.usable,
            quality=self._quality(interface),
            restless=interface.name in self._monitor.restless,
        )

    def _meter(self, interface: Interface) -> Meter:
        return self._meters[interface.name, interface.index]

    def _quality(self, interface: Interface) -> Quality:
        meter = self._meters.get((interface.name, interface.index))
        return meter.quality if meter is not None else UNKNOWN


def links_of(settings: Network, monitor: Monitor) -> Links:
    """Put together what settings ask for; the monitor was started."""
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
