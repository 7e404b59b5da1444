"""Backends that fail where a test wants them to, and behave like the inner one otherwise."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tusd_py.metadata import Backlog, ClientStore, Event, Metadata, Quota, Receiver, Use
from tusd_py.protocol.upload import Upload, UploadId
from tusd_py.storage import FileBacked, OpenFile, Storage, Writer
from tusd_py.storage.base import Recorded

from .composing import ComposingStorage


class ComposingFileStorage(ComposingStorage, FileBacked, Protocol):
    """A storage that composes, and whose uploads are files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one call of a method, or to all of them from one on.

    Attributes:
        method: The name of the method; those of writers have their own counters.
        call: Which call, counted from 1 over all uploads.
        lasting: The calls after that one too.
        until: The call waits for this before it does anything.
        error: Makes what the call raises; None lets it through.
        after: With an error, so many bytes of a ``write`` are written before it is raised.
        reached: Set when the call is there.
    """

    method: str
    call: int = 1
    lasting: bool = False
    until: asyncio.Event | None = None
    error: Callable[[], Exception] | None = None
    after: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def meets(self, method: str, call: int) -> bool:
        """This is the call that it is about."""
        return method == self.method and (call == self.call or (self.lasting and call > self.call))


class Plan:
    """Faults by method and call.

    Args:
        faults: At most one for each call.
    """

    def __init__(self, *faults: Fault) -> None:
        self.faults: list[Fault] = [*faults]
        self.calls: Counter[str] = Counter()

    async def visit(self, method: str) -> None:
        """Count a call, wait as planned, and raise what is planned."""
        fault = await self.fault(method)
        if fault is not None and fault.error is not None:
            raise fault.error()

    async def fault(self, method: str) -> Fault | None:
        """Count a call and wait as planned; gives the fault that it meets."""
        self.calls[method] += 1
        call = self.calls[method]
        met = next((fault for fault in self.faults if fault.meets(method, call)), None)
        if met is not None:
            met.reached.set()
            if met.until is not None:
                await met.until.wait()
        return met


class FaultyStorage:
    """A storage whose calls fail as planned, those of its writers included."""

    def __init__(self, inner: Storage, plan: Plan) -> None:
        self.inner = inner
        self.plan = plan

    async def start(self, *, durable: bool) -> None:
        await self.plan.visit("start")
        await self.inner.start(durable=durable)

    async def close(self) -> None:
        await self.plan.visit("close")
        await self.inner.close()

    def place(self, upload: Upload) -> str:
        return self.inner.place(upload)

    def writer(self, upload: Upload) -> "FaultyWriter":
        return FaultyWriter(self.inner.writer(upload), self.plan)

    async def size(self, upload: Upload) -> int:
        await self.plan.visit("size")
        return await self.inner.size(upload)

    async def read(
        self,
        upload: Upload,
        start: int = 0,
        count: int | None = None,
        most: Callable[[], int] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Each piece is a call."""
        pieces = self.inner.read(upload, start, count, most)
        try:
            await self.plan.visit("read")
            async for piece in pieces:
                yield piece
                await self.plan.visit("read")
        finally:
            await pieces.aclose()

    async def delete(self, upload: Upload) -> None:
        await self.plan.visit("delete")
        await self.inner.delete(upload)

    async def working(self) -> AsyncGenerator[Sequence[UploadId], None]:
        """The whole listing is a call."""
        await self.plan.visit("working")
        async for batch in self.inner.working():
            yield batch

    async def published(self) -> AsyncGenerator[Sequence[str], None]:
        """The whole listing is a call."""
        await self.plan.visit("published")
        async for batch in self.inner.published():
            yield batch

    async def reclaim(self, recorded: Recorded) -> int:
        await self.plan.visit("reclaim")
        return await self.inner.reclaim(recorded)

    async def free(self) -> int | None:
        await self.plan.visit("free")
        return await self.inner.free()


class FaultyComposingStorage(FaultyStorage):
    """The same for a storage that composes: one that does not must not look as if it did."""

    inner: ComposingStorage

    def __init__(self, inner: ComposingStorage, plan: Plan) -> None:
        super().__init__(inner, plan)

    async def compose(self, target: Upload, parts: Sequence[Upload]) -> int:
        await self.plan.visit("compose")
        return await self.inner.compose(target, parts)


class FaultyFileStorage(FaultyComposingStorage):
    """The same for a storage whose uploads are files besides."""

    inner: ComposingFileStorage

    def __init__(self, inner: ComposingFileStorage, plan: Plan) -> None:
        super().__init__(inner, plan)

    async def open(self, upload: Upload) -> OpenFile | None:
        await self.plan.visit("open")
        return await self.inner.open(upload)


class FaultyWriter:
    """A writer whose calls fail as planned; ``close`` never does."""

    def __init__(self, inner: Writer, plan: Plan) -> None:
        self._inner = inner
        self._plan = plan

    @property
    def offset(self) -> int:
        """Where the next byte goes."""
        return self._inner.offset

    async def write(self, batch: Sequence[bytes]) -> None:
        fault = await self._plan.fault("write")
        if fault is None or fault.error is None:
            await self._inner.write(batch)
            return
        if fault.after:
            await self._inner.write([b"".join(batch)[: fault.after]])
        raise fault.error()

    async def truncate(self, offset: int) -> None:
        await self._plan.visit("truncate")
        await self._inner.truncate(offset)

    async def sync(self) -> None:
        await self._plan.visit("sync")
        await self._inner.sync()

    async def publish(self, last: Sequence[bytes] = ()) -> None:
        if last:
            await self.write(last)
        await self._plan.visit("publish")
        await self._inner.publish()

    def recorded(self) -> None:
        self._inner.recorded()

    async def close(self) -> None:
        await self._inner.close()


class FaultyMetadata:
    """A metadata store whose calls fail as planned; then nothing was changed."""

    def __init__(self, inner: Metadata, plan: Plan) -> None:
        self.inner = inner
        self.plan = plan

    @property
    def clients(self) -> ClientStore:
        return self.inner.clients

    async def start(self, *, durable: bool) -> None:
        await self.plan.visit("start")
        await self.inner.start(durable=durable)

    async def close(self) -> None:
        await self.plan.visit("close")
        await self.inner.close()

    async def create(
        self,
        upload: Upload,
        *,
        events: Sequence[Event] = (),
        use: Use | None = None,
        quota: Quota | None = None,
    ) -> None:
        await self.plan.visit("create")
        await self.inner.create(upload, events=events, use=use, quota=quota)

    async def get(self, upload_id: UploadId) -> Upload:
        await self.plan.visit("get")
        return await self.inner.get(upload_id)

    async def record(self, upload: Upload, *, events: Sequence[Event] = ()) -> None:
        await self.plan.visit("record")
        await self.inner.record(upload, events=events)

    async def touch(self, upload_id: UploadId) -> None:
        await self.plan.visit("touch")
        await self.inner.touch(upload_id)

    async def delete(
        self, upload_id: UploadId, *, events: Sequence[Event] = (), use: Use | None = None
    ) -> None:
        await self.plan.visit("delete")
        await self.inner.delete(upload_id, events=events, use=use)

    async def check_use(self, use: Use) -> None:
        await self.plan.visit("check_use")
        await self.inner.check_use(use)

    async def check_quota(self, subject: str, quota: Quota) -> None:
        await self.plan.visit("check_quota")
        await self.inner.check_quota(subject, quota)

    async def forget_uses(self, now: float) -> None:
        await self.plan.visit("forget_uses")
        await self.inner.forget_uses(now)

    async def page(
        self, *, subject: str | None = None, after: UploadId | None = None, limit: int = 100
    ) -> Sequence[Upload]:
        await self.plan.visit("page")
        return await self.inner.page(subject=subject, after=after, limit=limit)

    async def at_path(self, path: str) -> Upload | None:
        await self.plan.visit("at_path")
        return await self.inner.at_path(path)

    async def unfinished(
        self, *, after: UploadId | None = None, limit: int = 100
    ) -> Sequence[Upload]:
        await self.plan.visit("unfinished")
        return await self.inner.unfinished(after=after, limit=limit)

    async def expired(self, now: float, limit: int) -> Sequence[Upload]:
        await self.plan.visit("expired")
        return await self.inner.expired(now, limit)

    async def finals_of(self, part: UploadId) -> Sequence[Upload]:
        await self.plan.visit("finals_of")
        return await self.inner.finals_of(part)

    async def same_final(self, upload: Upload) -> Upload | None:
        await self.plan.visit("same_final")
        return await self.inner.same_final(upload)

    async def events(
        self, limit: int, *, after: int = 0, dead: bool | None = None
    ) -> Sequence[Event]:
        await self.plan.visit("events")
        return await self.inner.events(limit, after=after, dead=dead)

    async def due(self, now: float, limit: int, receivers: Collection[Receiver]) -> Sequence[Event]:
        await self.plan.visit("due")
        return await self.inner.due(now, limit, receivers)

    async def tell(self, events: Sequence[Event]) -> None:
        await self.plan.visit("tell")
        await self.inner.tell(events)

    async def change_event(self, event: Event) -> None:
        await self.plan.visit("change_event")
        await self.inner.change_event(event)

    async def settle(self, event_id: str) -> None:
        await self.plan.visit("settle")
        await self.inner.settle(event_id)

    async def backlog(self) -> Backlog:
        await self.plan.visit("backlog")
        return await self.inner.backlog()
