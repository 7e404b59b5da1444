"""Metadata in memory: for tests, and the yardstick for the others."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from tusd_py.errors import GrantUsed, UploadExists, UploadNotFound
from tusd_py.network.clients import ClientProfile
from tusd_py.protocol.upload import Kind, Upload, UploadId

from .base import Backlog, Event, Quota, Receiver, Use


class MemoryMetadata:
    """Keeps everything in dictionaries; nothing survives the process."""

    def __init__(self) -> None:
        self.clients = MemoryClients()
        self._uploads: dict[UploadId, Upload] = {}
        self._events: dict[str, Event] = {}
        self._uses: list[tuple[Use, UploadId]] = []
        self._creations: list[tuple[str | None, float]] = []
        self._numbered = 0

    async def start(self, *, durable: bool) -> None:
        """Nothing to do: memory is never durable."""

    async def close(self) -> None:
        """Nothing to do."""

    async def create(
        self,
        upload: Upload,
        *,
        events: Sequence[Event] = (),
        use: Use | None = None,
        quota: Quota | None = None,
    ) -> None:
        paths = {other.path for other in self._uploads.values() if other.path is not None}
        if upload.id in self._uploads or upload.path in paths:
            raise UploadExists(upload.id)
        if upload.kind is Kind.FINAL and await self.same_final(upload):
            raise UploadExists(upload.id)
        if use is not None:
            await self.check_use(use)
        if quota is not None:
            self._check(upload.subject, quota, upload)
            self._creations.append((upload.subject, quota.now))
        if use is not None:
            self._uses.append((use, upload.id))
        self._uploads[upload.id] = upload
        self._add(events)

    async def get(self, upload_id: UploadId) -> Upload:
        try:
            return self._uploads[upload_id]
        except KeyError:
            raise UploadNotFound(upload_id) from None

    async def record(self, upload: Upload, *, events: Sequence[Event] = ()) -> None:
        if upload.id not in self._uploads:
            raise UploadNotFound(upload.id)
        fresh = self._uploads[upload.id].fresh and upload.fresh
        self._uploads[upload.id] = upload._replace(fresh=fresh)
        self._add(events)

    async def touch(self, upload_id: UploadId) -> None:
        if upload_id in self._uploads:
            self._uploads[upload_id] = self._uploads[upload_id]._replace(fresh=False)

    async def delete(
        self, upload_id: UploadId, *, events: Sequence[Event] = (), use: Use | None = None
    ) -> None:
        if use is not None:
            self._uses = [each for each in self._uses if each[1] != upload_id]
        self._events = {
            key: event
            for key, event in self._events.items()
            if event.upload_id != upload_id or event.receiver is not Receiver.CALLABLES
        }
        if self._uploads.pop(upload_id, None) is not None:
            self._add(events)

    async def check_use(self, use: Use) -> None:
        like = [
            (other, made)
            for other, made in self._uses
            if (other.grant, other.part) == (use.grant, use.part)
        ]
        size = sum(other.size for other, _ in like) + use.size
        if len(like) >= use.most or size > use.most_size:
            same = [made for other, made in like if other.request == use.request and not use.part]
            raise GrantUsed(same[-1] if same else None, use.key_id)

    async def check_quota(self, subject: str, quota: Quota) -> None:
        self._check(subject, quota)

    def _check(self, subject: str | None, quota: Quota, *new: Upload) -> None:
        uploads = (*self._uploads.values(), *new)
        own = [u for u in uploads if u.subject == subject and not u.expired(quota.now)]
        sizes = [u.limit if u.limit is not None else u.offset for u in own]
        unfinished = sum(not upload.finished for upload in own)
        recent = sum(who == subject and when > quota.since for who, when in self._creations)
        quota.check(sum(sizes), unfinished, recent + len(new))

    async def forget_uses(self, now: float) -> None:
        self._uses = [each for each in self._uses if each[0].expires_at > now]

    async def page(
        self, *, subject: str | None = None, after: UploadId | None = None, limit: int = 100
    ) -> Sequence[Upload]:
        return [
            upload
            for key, upload in sorted(self._uploads.items())
            if subject in (None, upload.subject) and (after is None or key > after)
        ][:limit]

    async def at_path(self, path: str) -> Upload | None:
        return next((upload for upload in self._uploads.values() if upload.path == path), None)

    async def unfinished(
        self, *, after: UploadId | None = None, limit: int = 100
    ) -> Sequence[Upload]:
        return [
            upload
            for key, upload in sorted(self._uploads.items())
            if not upload.finished and (after is None or key > after)
        ][:limit]

    async def expired(self, now: float, limit: int) -> Sequence[Upload]:
        return [upload for upload in self._uploads.values() if upload.expired(now)][:limit]

    async def finals_of(self, part: UploadId) -> Sequence[Upload]:
        return [
            upload
            for upload in self._uploads.values()
            if upload.kind is Kind.FINAL and part in upload.parts and not upload.finished
        ]

    async def same_final(self, upload: Upload) -> Upload | None:
        wanted = (upload.kind, upload.parts, upload.metadata, upload.subject)
        for other in self._uploads.values():
            if (other.kind, other.parts, other.metadata, other.subject) == wanted:
                return other
        return None

    async def events(
        self, limit: int, *, after: int = 0, dead: bool | None = None
    ) -> Sequence[Event]:
        return [
            event
            for event in self._events.values()
            if event.number > after and dead in (None, event.dead)
        ][:limit]

    async def due(self, now: float, limit: int, receivers: Collection[Receiver]) -> Sequence[Event]:
        first: dict[tuple[UploadId, Receiver], Event] = {}
        for event in self._events.values():
            if not event.dead:
                first.setdefault((event.upload_id, event.receiver), event)
        return [
            event for event in first.values() if event.receiver in receivers and event.due_at <= now
        ][:limit]

    async def tell(self, events: Sequence[Event]) -> None:
        self._add(events)

    async def change_event(self, event: Event) -> None:
        if event.id in self._events:
            changed = {
                name: getattr(event, name) for name in ("due_at", "attempts", "error", "dead")
            }
            self._events[event.id] = replace(self._events[event.id], **changed)

    async def settle(self, event_id: str) -> None:
        self._events.pop(event_id, None)

    async def backlog(self) -> Backlog:
        waiting = [event.created_at for event in self._events.values() if not event.dead]
        dead = len(self._events) - len(waiting)
        return Backlog(waiting=len(waiting), dead=dead, oldest=min(waiting, default=None))

    def _add(self, events: Sequence[Event]) -> None:
        for event in events:
            self._numbered += 1
            self._events[event.id] = replace(event, number=self._numbered)


class MemoryClients:
    """Keeps profiles in a dictionary."""

    def __init__(self) -> None:
        self._profiles: dict[str, ClientProfile] = {}

    async def find(self, keys: Collection[str]) -> Sequence[ClientProfile]:
        return [self._profiles[key] for key in keys if key in self._profiles]

    async def keep(
        self, profiles: Sequence[ClientProfile], *, known: Collection[str] = ()
    ) -> Sequence[str]:
        forgotten = [key for key in known if key not in self._profiles]
        self._profiles |= {each.key: each for each in profiles if each.key not in forgotten}
        return forgotten

    async def page(self, *, after: str | None = None, limit: int = 100) -> Sequence[ClientProfile]:
        keys = sorted(key for key in self._profiles if key > (after or ""))
        return [self._profiles[key] for key in keys[:limit]]

    async def forget(self, keys: Collection[str]) -> Sequence[str]:
        return [key for key in keys if self._profiles.pop(key, None) is not None]

    async def forget_all(self) -> int:
        count = len(self._profiles)
        self._profiles.clear()
        return count

    async def expire(self, *, since: float, until: float, most: int) -> None:
        recent = [each for each in self._profiles.values() if since <= each.last_seen <= until]
        recent.sort(key=lambda each: each.last_seen, reverse=True)
        self._profiles = {each.key: each for each in recent[:most]}
