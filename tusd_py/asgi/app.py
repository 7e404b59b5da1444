"""``TusApp``: what an application embeds."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from tusd_py.auth.grants import Grants
from tusd_py.config import Config
from tusd_py.hooks import Hooks
from tusd_py.hooks.base import Authenticate, BeforeFinish, OnAccess, OnCreate, OnFinish
from tusd_py.hooks.measured import measured
from tusd_py.hooks.webhooks import Webhooks
from tusd_py.locks import Locks
from tusd_py.metadata import Metadata
from tusd_py.metrics import Meters
from tusd_py.storage import Storage
from tusd_py.streaming.asking import Receive
from tusd_py.uploads import Uploads
from tusd_py.uploads.engine import Engine
from tusd_py.uploads.outbox import Outbox, outbox
from tusd_py.uploads.scan import Recovery
from tusd_py.wiring import default_locks

from .answer import Send
from .exchange import Scope
from .gate import gate_of
from .handler import Handler
from .health import LIVE, READY, Beside, Health, Page
from .ids import RandomIds
from .metrics import MetricsPage
from .runtime import Runtime


class TusApp:
    """A tus 1.0.0 server as an ASGI application.

    Nothing is opened before ``running``, the lifespan, or the first request.

    Args:
        storage: Where the bytes go.
        metadata: Where the facts go.
        locks: Who may write; None is the kind that the storage needs: for files among all
            processes of the machine, otherwise in memory.
        auth: ``Grants``, or a callable that tells who makes a request, or None if nobody that it
            knows (401). Without it, everybody may do everything.
        config: The behaviour.
        clock: Tells Unix time in seconds.
        new_id: Makes ids of at least 128 random bits, URL-safe; None is ``RandomIds``.
        boot_id: Names this boot of the machine; None asks the machine.
        meters: Count what is done; None counts in this process alone. See ``shared_meters``.
        switches: The file where switches among the machine's links are written down, which
            ``tusd-py network`` shows; None is nowhere.
    """

    def __init__(  # noqa: PLR0913 - keywords, all but two with defaults
        self,
        *,
        storage: Storage,
        metadata: Metadata,
        locks: Locks | None = None,
        auth: Grants | Authenticate | None = None,
        config: Config | None = None,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] | None = None,
        boot_id: str | None = None,
        meters: Meters | None = None,
        switches: Path | None = None,
    ) -> None:
        self._meters = meters or Meters()
        self._switches = switches
        self.config = config or Config()
        self._storage = storage
        self._metadata = metadata
        # Locks that hold nothing are false.
        self._locks = default_locks(storage) if locks is None else locks
        self._clock = clock
        self._new_id = new_id or RandomIds()
        self._hooks = Hooks()
        self._runtime = Runtime(self._make_engine, boot_id)
        gate = gate_of(auth, clock)
        self._handler = Handler(self.config, self._hooks, gate, self._runtime, self._meters)
        self._health = Health(self._runtime)
        self._pages: dict[str, ASGIApp] = {
            LIVE: Page(self._health.live),
            READY: Page(self._health.ready),
        }
        self._whole = self.below("")
        self.uploads = Uploads(self._runtime.started)

    def on_access(self, callable_: OnAccess) -> OnAccess:
        """Call this on every request but OPTIONS; it raises ``Reject`` to refuse."""
        self._hooks.on_access.append(measured("on_access", callable_, self._meters))
        return callable_

    def on_create(self, callable_: OnCreate) -> OnCreate:
        """Call this before an upload is created; it may refuse, or return ``Changes``."""
        self._hooks.on_create.append(measured("on_create", callable_, self._meters))
        return callable_

    def before_finish(self, callable_: BeforeFinish) -> BeforeFinish:
        """Call this when all bytes are there, before the client is told.

        It may refuse: then the upload stays unfinished with all its bytes, and the client's next
        request at its end asks again. Or it returns a ``Reply``.
        """
        self._hooks.before_finish.append(measured("before_finish", callable_, self._meters))
        return callable_

    def on_finish(self, callable_: OnFinish) -> OnFinish:
        """Call this for every finished upload, at least once, also if the process dies.

        It is called in the background, with the upload and an id that stays the same when it has
        to be called again because it raised or the process died.
        """
        self._hooks.on_finish.append(measured("on_finish", callable_, self._meters))
        return callable_

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start, and stop at the end of the block; for lifespans that do more than this.

        Raises:
            StorageError: The storage cannot be used.
            MetadataError: The metadata store cannot be used.
            ConfigError: Hooks over HTTP lack their secret or their library.
        """
        await self._runtime.started()
        try:
            yield
        finally:
            await self._runtime.close()

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:  # noqa: ARG002 - Starlette's form
        """The lifespan for an application that has no other: ``Starlette(lifespan=...)``."""
        async with self.running():
            yield

    async def sweep(self) -> int:
        """Remove the uploads that have expired; returns how many."""
        return await self.uploads.sweep()

    async def recover(self) -> Recovery:
        """Clean up after a process that died, as ``Config.recover_at_start`` does by itself."""
        return await self.uploads.recover()

    async def outbox(self) -> Outbox:
        """Count what is still to be told, and say whether the application is called over HTTP.

        Raises:
            MetadataError: The metadata store cannot be used.
        """
        return await outbox(await self._runtime.started())

    def routes(self, prefix: str) -> list[BaseRoute]:
        """Make routes for an application, below a path such as ``/files``.

        Unlike a ``Mount``, they answer ``/files`` and ``/files/`` alike: a redirect would lose
        the clients that do not follow one.
        """
        base = prefix.rstrip("/")
        endpoint = self.below(prefix)
        return [Route(base or "/", endpoint), Route(f"{base}/{{tus_path:path}}", endpoint)]

    def health_routes(self, prefix: str = "") -> list[BaseRoute]:
        """Make routes for ``/healthz`` and ``/readyz``, below a prefix if you like.

        The first is answered as long as the event loop turns. The second is 200 while uploads can
        be taken, and otherwise 503 with JSON that names what fails.
        """
        base = prefix.rstrip("/")
        return [Route(f"{base}{path}", page) for path, page in self._pages.items()]

    def metrics_routes(self, path: str = "/metrics") -> list[BaseRoute]:
        """Make the route of the page that Prometheus reads; anyone may read it."""
        return [Route(path, MetricsPage(self._runtime, self._meters))]

    def drain(self) -> None:
        """Tell those who ask ``/readyz`` to send no more; what runs goes on."""
        self._health.draining = True

    def alone(self, prefix: str, *, metrics_path: str | None = None) -> ASGIApp:
        """Make the whole of a server: the uploads below a path, and beside them what tells of it.

        Args:
            prefix: Of the uploads.
            metrics_path: Of the page of metrics; None is none.
        """
        pages = dict(self._pages)
        if metrics_path is not None:
            pages[metrics_path] = MetricsPage(self._runtime, self._meters)
        return Beside(self.below(prefix), pages)

    def below(self, prefix: str) -> ASGIApp:
        """Make a whole ASGI application with the uploads below a path such as ``/files``."""
        return _Below(self, self._handler, prefix.rstrip("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as a mounted application, or as a whole one with the uploads at its root."""
        await self._whole(scope, receive, send)

    def _make_engine(self, boot_id: str) -> Engine:
        return Engine(
            storage=self._storage,
            metadata=self._metadata,
            locks=self._locks,
            config=self.config,
            hooks=self._hooks,
            run=f"{boot_id}/{self._new_id()}",
            now=self._clock,
            new_id=self._new_id,
            webhooks=self._webhooks(),
            meters=self._meters,
            switches=self._switches,
        )

    def _webhooks(self) -> Webhooks | None:
        if self.config.hooks is None:
            return None
        return Webhooks(
            self.config.hooks, now=self._clock, new_id=self._new_id, meters=self._meters
        )


class _Below:
    """The application below a prefix. An object and not a function, which ``Route`` would wrap."""

    def __init__(self, app: TusApp, handler: Handler, prefix: str) -> None:
        self._handler = handler
        self._prefix = prefix
        self._others = Router(lifespan=app.lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._handler.handle(scope, receive, send, prefix=self._prefix)
        else:
            await self._others(scope, receive, send)
