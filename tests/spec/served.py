"""A server under test, on backends of either kind."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from tests.support.asgi import Client
from tests.support.clock import Clock
from tusd_py import (
    Config,
    FileStorage,
    MemoryMetadata,
    MemoryStorage,
    Network,
    Request,
    SQLiteMetadata,
    TusApp,
    by_date,
)
from tusd_py.auth import Grants
from tusd_py.metadata import Metadata
from tusd_py.storage.layout import Layout
from tusd_py.testing.composing import ComposingStorage

Kind = Literal["memory", "disk"]
Auth = Grants | Callable[[Request], Awaitable[str | None]]

BOOT = "a-boot"
NOW = 1_800_000_000.0


@dataclass(slots=True)
class Ids:
    """Ids that tell their order."""

    count: int = 0

    def __call__(self) -> str:
        self.count += 1
        return f"id{self.count:030d}"


class Served(Client):
    """A client together with the server that it talks to."""

    def __init__(self, server: TusApp, clock: Clock) -> None:
        super().__init__(server.below("/files"))
        self.server = server
        self.clock = clock

    async def stored(self, url: str) -> bytes:
        """The bytes of an upload, finished or not."""
        async with self.server.uploads.open(upload_id(url)) as pieces:
            return b"".join([piece async for piece in pieces])


def upload_id(url: str) -> str:
    """The id at the end of an upload's URL."""
    return url.rpartition("/")[2]


class Serve(Protocol):
    """Starts a server; it is stopped after the test."""

    async def __call__(
        self,
        config: Config | None = None,
        *,
        auth: Auth | None = None,
        storage: Callable[[ComposingStorage], ComposingStorage] = ...,
        metadata: Callable[[Metadata], Metadata] = ...,
        setup: Callable[[TusApp], None] = ...,
        boot_id: str = ...,
    ) -> Served: ...


@dataclass(slots=True)
class Backends:
    """Where the servers of one test keep things.

    A server on disk finds what an earlier one left; one in memory finds it too, for they share
    their dictionaries.
    """

    kind: Kind
    folder: Path
    stack: AsyncExitStack
    layout: Layout = by_date
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    new_id: Ids = field(default_factory=Ids)
    memory: tuple[MemoryStorage, MemoryMetadata] = field(
        default_factory=lambda: (MemoryStorage(), MemoryMetadata())
    )

    def storage(self) -> ComposingStorage:
        if self.kind == "memory":
            return self.memory[0]
        return FileStorage(self.folder, layout=self.layout)

    def metadata(self) -> Metadata:
        return self.memory[1] if self.kind == "memory" else SQLiteMetadata(self.folder / "tus.db")

    async def serve(
        self,
        config: Config | None = None,
        *,
        auth: Auth | None = None,
        storage: Callable[[ComposingStorage], ComposingStorage] = lambda storage: storage,
        metadata: Callable[[Metadata], Metadata] = lambda metadata: metadata,
        setup: Callable[[TusApp], None] = lambda _: None,
        boot_id: str = BOOT,
    ) -> Served:
        # Nothing here is about power or links that are lost, and cleaning up is up to the test.
        settings = replace(
            config or Config(),
            durability="process",
            sweep_interval=0,
            recover_at_start=False,
            network=Network(networkchangedetection=False),
        )
        server = TusApp(
            storage=storage(self.storage()),
            metadata=metadata(self.metadata()),
            auth=auth,
            config=settings,
            clock=self.clock,
            new_id=self.new_id,
            boot_id=boot_id,
        )
        setup(server)
        await self.stack.enter_async_context(server.running())
        return Served(server, self.clock)

    async def stop(self) -> None:
        """Stop all servers, as the end of their process would."""
        await self.stack.aclose()
