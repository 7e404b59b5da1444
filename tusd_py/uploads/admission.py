"""How many transfers may run at once, in all and for each client."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tusd_py.errors import TooManyUploads
from tusd_py.streaming import Interrupt

Client = str | None
"""A client's address; None where the server knows none, and then no limit of its own applies."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most transfers at once; None is no limit.

    Attributes:
        total: Of the process.
        per_client: Of one client's address.
    """

    total: int | None = None
    per_client: int | None = None

    def admit(self, client: Client, running: Mapping[Client, int], total: int) -> bool:
        """Decide whether one more transfer of a client may begin.

        Args:
            client: Whose it is.
            running: How many transfers each client has.
            total: Their sum.
        """
        if self.total is not None and total >= self.total:
            return False
        if self.per_client is None or client is None:
            return True
        return running.get(client, 0) < self.per_client


def _nobody_counts(_: int) -> None:
    """Take no notice of how many there are."""


class Admission:
    """Counts the transfers of a process against its limits.

    What is new is refused at once, for nothing is lost by that. What continues an upload waits
    for its turn, first come, first served: clients try a PATCH again only so often, and then give
    the upload up. While it waits its body is not read, which slows its client down.
    """

    def __init__(self, limits: Limits, count: Callable[[int], None] = _nobody_counts) -> None:
        self._limits = limits
        self._count = count
        self._running: Counter[Client] = Counter()
        self._total = 0
        self._waiting: dict[asyncio.Future[None], Client] = {}

    def __len__(self) -> int:
        """How many transfers run."""
        return self._total

    def enter(self, client: Client) -> None:
        """Count a transfer that may begin at once; whoever asked calls ``leave`` at its end.

        Raises:
            TooManyUploads: 503, a limit is reached.
        """
        if not self._admits(client):
            raise TooManyUploads
        self._begin(client)

    def leave(self, client: Client) -> None:
        """Count it no more."""
        self._end(client)

    @asynccontextmanager
    async def in_turn(
        self, client: Client, interrupt: Interrupt, patience: float
    ) -> AsyncIterator[None]:
        """Count a transfer while the block runs, after a wait of ``patience`` seconds at most.

        Who is asked to stop waits no longer: it takes along what has arrived, and leaves.

        Raises:
            TooManyUploads: 503, its turn did not come in time.
        """
        if self._admits(client):
            self._begin(client)
        else:
            await self._wait(client, interrupt, patience)
        try:
            yield
        finally:
            self._end(client)

    async def _wait(self, client: Client, interrupt: Interrupt, patience: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[turn] = client
        try:
            with interrupt.watched(lambda _: self._call(turn)):
                await asyncio.wait((turn,), timeout=patience)
        except asyncio.CancelledError:
            if turn.done():
                self._end(client)
            raise
        finally:
            self._waiting.pop(turn, None)
        if not turn.done():
            raise TooManyUploads

    def _admits(self, client: Client) -> bool:
        return self._limits.admit(client, self._running, self._total)

    def _begin(self, client: Client) -> None:
        self._running[client] += 1
        self._total += 1
        self._count(self._total)

    def _end(self, client: Client) -> None:
        self._total -= 1
        self._count(self._total)
        self._running[client] -= 1
        if not self._running[client]:
            del self._running[client]
        for turn in [*self._waiting]:
            if self._admits(self._waiting[turn]):
                self._call(turn)

    def _call(self, turn: asyncio.Future[None]) -> None:
        """It is their turn: begin on their behalf, before somebody else does."""
        if not turn.done():
            self._begin(self._waiting.pop(turn))
            turn.set_result(None)
