"""What a network does to a body, as a script, and where the body goes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from tusd_py.errors import StorageFull


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

    @property
    def offset(self) -> int:
        """How many bytes came."""
        return len(self.data)

    def open(self) -> None:
        """Let writes through."""
        if self._gate is not None:
            self._gate.set()

    async def write(self, batch: Sequence[bytes]) -> None:
        """Take a batch, as far as there is room."""
        if self._gate is not None:
            await self._gate.wait()
        data = b"".join(batch)
        self.batches.append(len(data))
        if self._room is not None and len(self.data) + len(data) > self._room:
            self.data += data[: self._room - len(self.data)]
            self._room = None
            raise StorageFull
        self.data += data
