"""What all verbs share: the backends, and an upload held under its lock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tusd_py.config import Config
from tusd_py.errors import (
    GrantUsed,
    LockTimeout,
    MetadataError,
    OverLimit,
    StorageError,
    UploadNotFound,
)
from tusd_py.hooks import Hooks, Reply
from tusd_py.hooks.webhooks import Webhooks
from tusd_py.locks import Locks
from tusd_py.metadata import Event, Metadata, Quota, Use
from tusd_py.metrics import Meters
from tusd_py.network import Links, Monitor
from tusd_py.protocol.upload import Upload, UploadId
from tusd_py.storage import Storage
from tusd_py.streaming import BodySource, Interrupt
from tusd_py.telemetry import get_logger

from .admission import Admission, Limits
from .clients import Clients
from .link import FindLink
from .sessions import Sessions

log = get_logger("tusd_py.uploads")

_RATE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a request.

    Attributes:
        upload: The upload afterwards.
        reply: What a callable wants the answer to be.
    """

    upload: Upload
    reply: Reply | None = None

    def after(self, earlier: Reply | None) -> "Outcome":
        """The outcome with what was wanted earlier of the answer, as far as nobody wants else."""
        return self if earlier is None else replace(self, reply=earlier.followed_by(self.reply))


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """The body of a request on its way in.

    Attributes:
        source: Where the bytes come from.
        interrupt: Through which others end the transfer.
        trailer: Gives the value of the ``Upload-Checksum`` trailer once the body has ended.
        local: The local address of the connection, if it has one.
        link: Tells who sends it; None if that cannot be told.
    """

    source: BodySource
    interrupt: Interrupt
    trailer: Callable[[], str | None]
    local: str | None = None
    link: FindLink | None = None


class Background:
    """Tasks that outlive the request that started them; ``close`` ends them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine; what it raises is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self) -> None:
        """Cancel what still runs and wait for it."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background.failed", exc_info=error)


@dataclass(slots=True, kw_only=True)
class Engine:
    """The parts that the verbs work with.

    Attributes:
        run: This boot of the machine and this run of the program, as ``<boot>/<run>``.
        now: Tells Unix time in seconds.
        new_id: Makes ids of at least 128 random bits.
        unsettled: Uploads whose stored bytes may differ from what is recorded, because something
            failed, and whether the bytes beyond that count.
        receiving: Uploads whose bytes are coming in: they do not expire meanwhile.
        admission: How many transfers may run.
        composing: The tasks that put final uploads together.
        notify: Called when an event waits to be told to the application.
        webhooks: Asks and tells the application over HTTP, if there is one to be asked.
        checks: What has to be so for uploads to be taken, beside what every engine needs: each says
            in a sentence what is wrong, or nothing. See ``readiness``.
        meters: Count what is done.
        samples: Numbers that are asked for when somebody reads the metrics, by their name there.
        monitor: Sees what happens to the machine's links; None if nobody looks.
        links: Knows how good they are, and which one to use; None if nobody looks.
        sessions: Pauses transfers whose links change; None if nobody looks.
        clients: Knows what the clients are like; None if nobody remembers them.
        switches: The file where switches among them are written down; None is nowhere.
    """

    storage: Storage
    metadata: Metadata
    locks: Locks
    config: Config
    hooks: Hooks
    run: str
    now: Callable[[], float]
    new_id: Callable[[], str]
    background: Background = field(default_factory=Background)
    unsettled: dict[UploadId, bool] = field(default_factory=dict)
    receiving: set[UploadId] = field(default_factory=set)
    admission: Admission = field(init=False)
    composing: dict[UploadId, asyncio.Task[Outcome]] = field(default_factory=dict)
    notify: Callable[[], None] = lambda: None
    webhooks: Webhooks | None = None
    checks: dict[str, Callable[[], Awaitable[str | None]]] = field(default_factory=dict)
    meters: Meters = field(default_factory=Meters)
    samples: dict[str, Callable[[], Awaitable[float | None]]] = field(default_factory=dict)
    monitor: Monitor | None = None
    links: Links | None = None
    sessions: Sessions | None = None
    clients: Clients | None = None
    switches: Path | None = None

    def __post_init__(self) -> None:
        limits = Limits(self.config.max_uploads, self.config.max_uploads_per_client)
        self.admission = Admission(limits, self.meters.transfers.set)
        # Those of an engine before this one have ended.
        self.meters.transfers.set(0)
        self.samples["storage_free_bytes"] = self.storage.free

    async def find(self, upload_id: UploadId, subject: str | None) -> Upload:
        """Look up an upload of this subject.

        Raises:
            UploadNotFound: There is none, it has expired, or it is another's.
        """
        upload = await self.metadata.get(upload_id)
        expired = upload.expired(self.now()) and upload_id not in self.receiving
        if upload.subject != subject or expired:
            raise UploadNotFound(upload_id)
        return upload

    @asynccontextmanager
    async def held(
        self,
        upload_id: UploadId,
        subject: str | None,
        interrupt: Interrupt,
        check: Callable[[Upload], None] | None = None,
        *,
        ask: bool = True,
    ) -> AsyncIterator[Upload]:
        """Hold the lock on an upload, and have it as it is then.

        A free lock is taken at once, so that the upload is read only once. The holder of a busy
        one is asked to leave (unless not to ``ask``), but not before ``check`` has let the upload
        as recorded through: a stale request never disturbs a healthy transfer.

        Raises:
            UploadNotFound: See ``find``.
            LockTimeout: The holder did not leave in ``lock_timeout`` seconds.
        """
        async with AsyncExitStack() as stack:
            try:
                at_once = self.locks.hold(upload_id, timeout=0, on_revoke=interrupt.revoke)
                await stack.enter_async_context(at_once)
            except LockTimeout:
                upload = await self.find(upload_id, subject)
                if check is not None:
                    check(upload)
                patient = self.locks.hold(
                    upload_id,
                    timeout=self.config.lock_timeout,
                    on_revoke=interrupt.revoke,
                    ask=ask,
                )
                await self._wait(stack.enter_async_context(patient))
                self.meters.takeovers.add(ask)
            yield await self.find(upload_id, subject)

    async def _wait(self, lease: Awaitable[None]) -> None:
        now = asyncio.get_running_loop().time
        began = now()
        try:
            await lease
        except LockTimeout:
            self.meters.lock_timeouts.add()
            raise
        finally:
            self.meters.lock_waits.observe(now() - began)

    async def check_quota(self, upload: Upload) -> Upload:
        """Let an upload be finished, and record it before if its subject has a limit.

        Raises:
            QuotaExceeded: Its subject has more bytes than it may.
        """
        if upload.subject is None or self.config.subject_bytes is None:
            return upload
        # Those who finish at once all have to see each other's bytes.
        recorded = await self.record(upload)
        quota = Quota(size=self.config.subject_bytes, now=self.now())
        await self.metadata.check_quota(upload.subject, quota)
        return recorded

    def _quota(self, subject: str | None) -> Quota | None:
        size, unfinished = self.config.subject_bytes, self.config.subject_unfinished
        recent = self.config.subject_rate
        if subject is None or (size is None and unfinished is None and recent is None):
            return None
        now = self.now()
        return Quota(
            size=size, unfinished=unfinished, recent=recent, since=now - _RATE_SECONDS, now=now
        )

    async def distrust(self, upload_id: UploadId) -> None:
        """Let no byte beyond the recorded offset count: nobody can tell which of them are there.

        That is recorded too, for other processes and for those that come after this one.
        """
        self.unsettled[upload_id] = False
        try:
            upload = await self.metadata.get(upload_id)
            await self.metadata.record(upload._replace(verifying=True))
        except (UploadNotFound, MetadataError, StorageError):
            log.warning("upload.distrusted", upload_id=upload_id, exc_info=True)

    def unused(self, upload_id: UploadId) -> AbstractAsyncContextManager[None]:
        """Hold the lock on an upload that nobody uses, for what is quick.

        Raises:
            LockTimeout: Somebody uses it.
        """
        return self.locks.hold(upload_id, timeout=0, on_revoke=_ignore, ask=False)

    async def record(
        self,
        upload: Upload,
        events: Sequence[Event] = (),
        use: Use | None = None,
        **changes: Any,  # noqa: ANN401 - attributes of Upload
    ) -> Upload:
        """Record an upload as this run of the program leaves it, for the first time or again.

        Args:
            upload: As it was recorded, or is new.
            events: To be told to the application.
            use: Of the grant, if it is new and had one.
            changes: What is different from ``upload``.

        Raises:
            UploadExists: It is new, and its id or path is taken.
            GrantUsed: It is new, and its grant admits no more.
            OverLimit: It is new, and its subject has as much as it may.
            UploadNotFound: It is not new, and was removed meanwhile.
        """
        recorded = upload._replace(run=self.run, **changes)
        try:
            if upload.run:
                await self.metadata.record(recorded, events=events)
            else:
                await self.metadata.create(
                    recorded, events=events, use=use, quota=self._quota(upload.subject)
                )
        except (GrantUsed, OverLimit):
            raise
        except BaseException:
            self.unsettled.setdefault(upload.id, True)
            raise
        self.unsettled.pop(upload.id, None)
        if not upload.run:
            self.meters.created.add()
        if events:
            self.notify()
        return recorded


def _ignore() -> None:
    """What is quick need not be asked to end."""
