"""Sees that interfaces change, and tells whoever asked."""

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from tusd_py import telemetry

from .changes import diff
from .doorbell import Doorbell
from .interfaces import Interface, InterfaceReader, Snapshot, carrier, parse_address
from .settling import Settling
from .subscription import Event, Subscription, of_address, of_interface

log = telemetry.get_logger("tusd_py.network")

POLL: Final = 1.0
SETTLE: Final = 2.0

# Seconds between two quick looks at what the kernel tells late, see sysfs.py.
_GLANCE: Final = 0.15

# While nobody needs to know at once, the system is believed to ring: looks are so much rarer.
_RARELY: Final = 5

# Seconds between two looks: a burst of messages is one look, or few.
_BREATH: Final = 0.02


class Monitor:
    """Looks at the interfaces when the system says that something changed, and every so often.

    It belongs to one event loop, and looks from a worker thread.

    Args:
        poll: Seconds between two looks if the system says nothing.
        settle: For how many seconds an interface must not change to have settled.
        read: Gives the interfaces; it may block. None asks the system.
        doorbell: Makes what rings at a change; None leaves everything to polling.
        clock: Gives seconds that never go back.
    """

    def __init__(
        self,
        *,
        poll: float = POLL,
        settle: float = SETTLE,
        read: Callable[[], Snapshot] | None = None,
        doorbell: Callable[[], Doorbell] | None = Doorbell,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.interfaces: Snapshot = {}
        self._poll = poll
        reader = InterfaceReader()
        self._read = read if read is not None else reader
        self._differs = reader.differs if read is None and sys.platform == "linux" else None
        self._make_doorbell = doorbell
        self._clock = clock
        self._settling = Settling(settle)
        self._subscriptions: list[Subscription] = []
        self._stirred = asyncio.Event()
        self._rung = False
        self._attentive = True
        self._stirring: asyncio.TimerHandle | None = None
        self._doorbell: Doorbell | None = None
        self._looked = 0.0
        self._blind = False
        self._task: asyncio.Task[None] | None = None

    @property
    def restless(self) -> frozenset[str]:
        """The interfaces that have changed and not settled yet."""
        return self._settling.restless

    @property
    def attentive(self) -> bool:
        """Somebody needs to know at once, also what the kernel tells late. Default: yes.

        That costs most of what watching costs. Turning it on and off again costs nothing.
        """
        return self._attentive

    @attentive.setter
    def attentive(self, attentive: bool) -> None:
        self._attentive = attentive
        if attentive and self._stirring is None and self._task is not None:
            loop = asyncio.get_running_loop()
            self._stirring = loop.call_later(_GLANCE, self._stir)

    @property
    def at_once(self) -> bool:
        """Changes are seen at once, and not by polling only."""
        return self._doorbell is not None

    def at(self, address: str | None) -> Interface | None:
        """The interface that has this local address of a connection; None if that is not known.

        Servers give names, too, where an address belongs.
        """
        try:
            return None if address is None else carrier(self.interfaces, address)
        except ValueError:
            return None

    async def start(self) -> None:
        """Look for the first time, and go on looking in the background.

        Raises:
            OSError: The system does not tell its interfaces.
        """
        self._answer_door()
        try:
            # The bell is heard already: what changes during this look is seen by the next.
            self.interfaces = await asyncio.to_thread(self._read)
        except BaseException:
            self._leave_door()
            raise
        self._looked = self._clock()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop looking; subscriptions end."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._leave_door()
        if self._stirring is not None:
            self._stirring.cancel()
        for subscription in self._subscriptions:
            subscription.end()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def subscribe(
        self, *, interface: str | None = None, address: str | None = None
    ) -> Subscription:
        """Tell of all that happens from now on, of one interface, or of one local address.

        Raises:
            ValueError: ``address`` is none.
        """

        def wants(event: Event) -> bool:
            return all(want(event) for want in wanted)

        wanted: list[Callable[[Event], bool]] = []
        if interface is not None:
            wanted.append(of_interface(interface))
        if address is not None:
            wanted.append(of_address(parse_address(address)))
        subscription = Subscription(wants, self._forget)
        self._subscriptions.append(subscription)
        return subscription

    def _forget(self, subscription: Subscription) -> None:
        with suppress(ValueError):
            self._subscriptions.remove(subscription)

    async def _run(self) -> None:
        while True:
            await self._until_something_is_due()
            due = self._rung or self._clock() >= self._next_look
            if due or await self._glance():
                await self._look()
            for settled in self._settling.due(self._clock()):
                self._publish(settled)

    @property
    def _next_look(self) -> float:
        # Where the bell rings, looking without being told is to be on the safe side only.
        rarely = self.at_once and not self._attentive
        return self._looked + self._poll * (_RARELY if rarely else 1)

    async def _until_something_is_due(self) -> None:
        due = self._next_look
        if self._settling.next is not None:
            due = min(due, self._settling.next)
        if self._differs is not None and self._attentive:
            due = min(due, self._clock() + _GLANCE)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, due - self._clock())):
                await self._stirred.wait()
        self._stirred.clear()

    def _stir(self) -> None:
        """Begin with quick looks, if somebody still needs to know at once."""
        self._stirring = None
        if self._attentive:
            self._stirred.set()

    async def _glance(self) -> bool:
        """Whether a link is not as it was seen last."""
        if self._differs is None or not self._attentive:
            return False
        return await asyncio.to_thread(self._differs, self.interfaces)

    async def _look(self) -> None:
        await asyncio.sleep(max(0.0, self._looked + _BREATH - self._clock()))
        self._rung = False
        try:
            now = await asyncio.to_thread(self._read)
        except Exception:
            # What was seen last holds until it can be seen again; one line tells of it.
            if not self._blind:
                log.exception("network.unreadable")
            self._blind = True
            return
        finally:
            self._looked = self._clock()
        self._blind = False
        before, self.interfaces = self.interfaces, now
        for change in diff(before, now):
            self._settling.note(change, self._looked)
            self._publish(change)

    def _publish(self, event: Event) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.put(event)

    def _answer_door(self) -> None:
        if self._make_doorbell is None:
            return
        try:
            self._doorbell = self._make_doorbell()
        except OSError:
            return
        asyncio.get_running_loop().add_reader(self._doorbell.fileno(), self._ring)

    def _ring(self) -> None:
        try:
            if self._doorbell is not None and self._doorbell.rang():
                self._rung = True
                self._stirred.set()
        except OSError as error:
            log.warning("network.polling-only", reason=str(error))
            self._leave_door()

    def _leave_door(self) -> None:
        doorbell, self._doorbell = self._doorbell, None
        if doorbell is not None:
            asyncio.get_running_loop().remove_reader(doorbell.fileno())
            doorbell.close()
