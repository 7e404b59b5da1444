"""The transfers that run, by their connections' local addresses: changes of links pause them."""

from functools import lru_cache

from tusd_py.config import Network
from tusd_py.metrics import Meters
from tusd_py.network import Change, InterfaceKind, Monitor, Settled, Standing
from tusd_py.network.interfaces import IPAddress, parse_address
from tusd_py.network.standing import may_have_died
from tusd_py.streaming import Interrupt


class Session:
    """A transfer as far as the network concerns it.

    Attributes:
        address: The local address of its connection.
        interrupt: Through which it is paused.
        change: What paused it last, for people.
        interface: Which interface that was.
        alive: Bytes have come during the pause.
    """

    __slots__ = ("address", "alive", "change", "interface", "interrupt")

    def __init__(self, address: IPAddress, interrupt: Interrupt) -> None:
        self.address = address
        self.interrupt = interrupt
        self.change = ""
        self.interface = ""
        self.alive = False


class Sessions:
    """Pauses transfers when their links change, and lets them go on when these have settled.

    Args:
        monitor: Sees the changes; it was started.
        settings: Say whom a change concerns.
        meters: Count the changes.
    """

    def __init__(self, monitor: Monitor, settings: Network, meters: Meters) -> None:
        self._monitor = monitor
        self._meters = meters
        self._events = monitor.subscribe()
        self._standing = Standing(everything=settings.uploadpauseonchange)
        self._by_address: dict[IPAddress, set[Session]] = {}
        self._everything = settings.uploadpauseonchange
        self._inner: dict[IPAddress, bool] = {}
        monitor.attentive = False

    def join(self, local: str | None, interrupt: Interrupt) -> Session | None:
        """Count a transfer among those that a change may concern; None if none can.

        Args:
            local: The local address of its connection, as its server tells it.
            interrupt: Pauses it.
        """
        address = _parsed(local) if local is not None else None
        if address is None or not self._matters(address):
            return None
        session = Session(address, interrupt)
        interrupt.may_pause = True
        if not self._by_address:
            self._monitor.attentive = True
        self._by_address.setdefault(address, set()).add(session)
        return session

    def leave(self, session: Session) -> None:
        """The transfer has ended."""
        sessions = self._by_address[session.address]
        sessions.remove(session)
        if not sessions:
            del self._by_address[session.address]
            self._standing.forget(session.address)
            if not self._by_address:
                self._monitor.attentive = False

    def arrived(self, session: Session) -> None:
        """Bytes came although it is paused: its connection lives, whatever the interfaces say.

        As long as they change, that may be over the next moment.
        """
        session.alive = True
        if self._standing.at_rest(session.address):
            session.interrupt.resume()

    async def run(self) -> None:
        """Follow the monitor until it is closed."""
        with self._events:
            async for event in self._events:
                if isinstance(event, Settled):
                    self._meters.network.changed("settled")
                    self._settled(event)
                else:
                    self._meters.network.changed(event.name)
                    self._changed(event)

    def _matters(self, address: IPAddress) -> bool:
        """What comes over the loopback, from a proxy perhaps, has no link that could be lost."""
        if self._everything:
            return True
        inner = self._inner.get(address)
        if inner is None:
            inner = self._inner[address] = any(
                each.kind is InterfaceKind.LOOPBACK and each.carries(address)
                for each in self._monitor.interfaces.values()
            )
        return not inner

    def _changed(self, change: Change) -> None:
        self._inner.clear()
        for address in self._standing.changed(change, self._by_address):
            lost = may_have_died(change, address)
            for session in self._by_address[address]:
                # What came before proves nothing about what is left.
                session.alive = session.alive and not lost
                if session.interrupt.reason is None:
                    session.change, session.interface = str(change), change.interface
                    session.alive = False
                    session.interrupt.pause()

    def _settled(self, event: Settled) -> None:
        interfaces = self._monitor.interfaces.values()
        for address in self._standing.settled(event, interfaces):
            for session in self._by_address[address]:
                session.interrupt.resume()
        for address, sessions in self._by_address.items():
            if self._standing.at_rest(address):
                for session in sessions:
                    if session.alive:
                        session.interrupt.resume()


@lru_cache
def _parsed(local: str) -> IPAddress | None:
    try:
        return parse_address(local)
    except ValueError:
        # Some servers tell a name, or nothing that is an address.
        return None
