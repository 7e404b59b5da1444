"""What a network does to a body, as a script, and where the body goes."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from tusd_py.errors import StorageFull
from tusd_py.streaming.inlet import Inlet


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes arrive."""

    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The body ends as it should."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The client goes before the body has ended."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing comes.

    Attributes:
        until: When it is set the script goes on; None is never.
        reached: Set once everything before has been delivered and the source wants more.
    """

    until: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)


Script = Sequence[Data | End | Disconnect | Stall]


class CollectingSink:
    """A sink in memory.

    Args:
        room: After so many bytes it fails, once, as a full disk does; None is never.
        gate: Nothing is written before it is set.
    """

    def __init__(self, *, room: int | None = None, gate: asyncio.Event | None = None) -> None:
        self.data = bytearray()
        self.batches: list[int] = []
        self._room = room
        self._gate = gate
        self._opened = threading.Event()
        if gate is None:
            self._opened.set()

    @property
    def offset(self) -> int:
        """How many bytes came."""
        return len(self.data)

    def open(self) -> None:
        """Let writes through."""
        if self._gate is not None:
            self._gate.set()
        self._opened.set()

    async def write(self, batch: Sequence[bytes]) -> None:
        """Take a batch, as far as there is room."""
        if self._gate is not None:
            await self._gate.wait()
        self.store(b"".join(batch))

    def take(self, inlet: Inlet, size: int) -> None:
        """Take what has come, likewise; it waits in the caller's thread."""
        self._opened.wait()
        if data := inlet.read(size):
            self.store(data)

    def settle(self) -> None:
        """Nothing was only begun."""

    def read_back(self, offset: int, size: int) -> bytes:
        """Read some of what came."""
        return bytes(self.data[offset : offset + size])

    def store(self, data: bytes) -> None:
        """Take bytes, as far as there is room."""
        self.batches.append(len(data))
        if self._room is not None and len(self.data) + len(data) > self._room:
            self.data += data[: self._room - len(self.data)]
            self._room = None
            raise StorageFull
        self.data += data
