"""One body into one upload."""

import asyncio
import math
from collections.abc import Sequence

from tusd_py.errors import (
    ChecksumMismatch,
    InvalidHeader,
    ProtocolError,
    Reject,
    StorageError,
    StorageFull,
    TooLarge,
    TransferStopped,
)
from tusd_py.hooks import Request
from tusd_py.protocol.checksum import ALGORITHMS, Checksum, Verifier, parse_checksum
from tusd_py.protocol.requests import Body
from tusd_py.protocol.rules import Plan
from tusd_py.protocol.upload import Upload
from tusd_py.storage import Writer
from tusd_py.streaming import Sink, Stop
from tusd_py.streaming.verified import hashing

from .course import Course
from .engine import Engine, Incoming, Outcome
from .finish import complete, finish, sync
from .pausing import Pauses
from .progress import Progress
from .telling import Fact, events_of
from .terminate import remove

# Bytes that the database finds room in for some records.
_ROOM_FOR_RECORDS = 256 * 1024


class Transfer:
    """Moves a request's body into an upload whose lock is held.

    Args:
        engine: The shared parts.
        upload: As recorded.
        plan: Where the bytes go and how many may.
        body: What the headers say of it.
        incoming: The bytes, and how others end them.
        request: The request.
    """

    def __init__(
        self,
        engine: Engine,
        upload: Upload,
        plan: Plan,
        body: Body,
        incoming: Incoming,
        request: Request,
    ) -> None:
        self._engine = engine
        self._upload = upload
        self._plan = plan
        self._body = body
        self._incoming = incoming
        self._request = request
        self._pauses: Pauses | None = None
        # How far it is safe and recorded, by this transfer.
        self._committed = -1
        self._course = Course(engine, incoming.link, upload, plan.offset)

    async def run(self) -> Outcome:
        """Receive the body, commit what arrived, and finish the upload if that was all of it.

        Raises:
            TransferStopped: The body ended early. What arrived is kept, unless it had a checksum.
            ChecksumMismatch: 460, the body was discarded.
            TooLarge: 413, the body runs past the upload's limit; it was discarded as far as it
                was not committed in between.
            StorageFull: 507, what fitted is kept.
            StorageError: 500.
            Reject: The application ended it, and the upload is gone.
        """
        verifier = self._verifier()
        if verifier is not None or self._upload.run != self._engine.run:
            # Before the first byte: after a crash nobody can tell whether these bytes were good,
            # and another process that recorded it last would look for no more than it knows of.
            self._upload = await self._engine.record(self._upload, verifying=verifier is not None)
        writer = self._engine.storage.writer(self._upload)
        self._engine.receiving.add(self._upload.id)
        progress = Progress(
            self._engine,
            lambda: self._upload._replace(offset=writer.offset),
            self._request,
            self._incoming.interrupt,
        )
        try:
            began = asyncio.get_running_loop().time()
            stop = await progress.during(self._in_session(writer, verifier))
            seconds = asyncio.get_running_loop().time() - began
            self._course.end(stop, writer.offset)
            self._engine.meters.transfer(writer.offset - self._plan.offset, seconds)
            if stop is not Stop.STOPPED or progress.refusal is None:
                return await self._conclude(writer, verifier, stop)
        except StorageFull:
            await self._keep_what_fits(writer, verifier)
            raise
        except asyncio.CancelledError:
            # The server gives up on the request. The next one finds out what there is.
            self._engine.unsettled.setdefault(self._upload.id, verifier is None)
            raise
        finally:
            self._engine.receiving.discard(self._upload.id)
            await writer.close()
        await remove(self._engine, self._upload, self._request)
        raise _closing(progress.refusal)

    def _sync_seconds(self) -> float:
        # Each record makes it live on, also for who looks from another process.
        lifetime = self._upload.lifetime or math.inf
        return min(self._engine.config.sync_seconds, lifetime / 3)

    def _verifier(self) -> Verifier | None:
        if self._body.checksum is not None:
            return Verifier([self._body.checksum.algorithm])
        if self._body.checksum_in_trailer:
            return Verifier(ALGORITHMS)
        return None

    async def _in_session(self, writer: Writer, verifier: Verifier | None) -> Stop:
        """Receive, and let what happens to the network pause it."""
        sessions, incoming = self._engine.sessions, self._incoming
        session = None if sessions is None else sessions.join(incoming.local, incoming.interrupt)
        if sessions is None or session is None:
            return await self._receive(writer, verifier)
        self._pauses = Pauses(self._engine, sessions, session, incoming.source)
        try:
            return await self._receive(writer, verifier)
        finally:
            sessions.leave(session)

    async def _receive(self, writer: Writer, verifier: Verifier | None) -> Stop:
        """Pump, committing now and then, until the body ends one way or another."""
        config = self._engine.config
        now = asyncio.get_running_loop().time
        sink: Sink = writer if verifier is None else hashing(writer, verifier.update)
        while True:
            room = self._room(writer)
            # What is to be verified is committed whole or not at all.
            step = room if verifier else _smaller(room, config.sync_bytes)
            due = math.inf if verifier else now() + self._sync_seconds()
            try:
                stop = await self._incoming.source.pump(
                    sink, limit=step, due=due, interrupt=self._incoming.interrupt
                )
            except StorageFull:
                raise
            except StorageError:
                await self._engine.distrust(self._upload.id)
                raise
            if stop is Stop.LIMIT and self._room(writer) == 0:
                # clause patch.exceeds-length
                limit = writer.offset
                await self._back(writer)
                raise TooLarge(limit=limit, what="This upload")
            if stop is Stop.PAUSED and self._pauses is not None:
                await self._pause(writer, verifier, self._pauses)
            elif stop in (Stop.LIMIT, Stop.DUE):
                await self._commit(writer)
            else:
                return stop

    async def _pause(self, writer: Writer, verifier: Verifier | None, pauses: Pauses) -> None:
        """Commit what has arrived, and wait for what becomes of the connection."""
        if verifier is None:
            await self._commit(writer, "session.paused")
        else:
            await self._tell("session.paused")
        if not await pauses.wait(self._upload, writer.offset):
            self._course.leave()
            return
        await self._tell("session.resumed")
        # How long that took says nothing about the client.
        self._course.go_on(writer.offset)

    async def _tell(self, fact: Fact) -> None:
        if events := events_of(self._engine, fact, self._upload, self._request):
            self._upload = await self._engine.record(self._upload, events)

    async def _conclude(self, writer: Writer, verifier: Verifier | None, stop: Stop) -> Outcome:
        if stop is not Stop.END:
            await self._keep(writer, verifier)
            raise TransferStopped(stop.value)
        if verifier is not None:
            await self._verify(writer, verifier)
        return await self._end(writer)

    async def _verify(self, writer: Writer, verifier: Verifier) -> None:
        try:
            expected = self._expected()
            if not verifier.matches(expected):
                raise ChecksumMismatch
        except ProtocolError:
            # clause checksum.mismatch
            await self._back(writer)
            raise

    def _expected(self) -> Checksum:
        if self._body.checksum is not None:
            return self._body.checksum
        value = self._incoming.trailer()
        if value is None:
            raise InvalidHeader("Upload-Checksum", "was announced as a trailer and did not come")
        return parse_checksum(value)

    async def _keep(self, writer: Writer, verifier: Verifier | None) -> None:
        """Commit what arrived of a body that ended early."""
        if verifier is not None:
            await self._back(writer)
        else:
            await self._end(writer)

    async def _keep_what_fits(self, writer: Writer, verifier: Verifier | None) -> None:
        """Commit what arrived before the room ended, as far as it is safe."""
        failed = self._engine.unsettled.get(self._upload.id) is False
        if failed or complete(self._appended(writer)):
            # What could not be synced does not count; what is whole lacks nothing but its end.
            return
        try:
            await self._keep(writer, verifier)
        except StorageFull:
            # The record needs room as well, and gets it from the last bytes.
            await writer.truncate(max(self._upload.offset, writer.offset - _ROOM_FOR_RECORDS))
            await self._keep(writer, verifier)

    async def _end(self, writer: Writer) -> Outcome:
        upload = self._appended(writer)
        if complete(upload):
            return await finish(self._engine, upload, writer, self._request)
        if writer.offset != self._committed:
            await self._commit(writer)
        return Outcome(upload=self._upload)

    async def _commit(self, writer: Writer, fact: Fact | None = None) -> None:
        """Make what was written safe, and then say so, perhaps with what has happened."""
        self._course.pause(writer.offset)
        await sync(self._engine, self._upload, writer)
        upload = self._appended(writer)
        events = events_of(self._engine, fact, upload, self._request) if fact else ()
        self._upload = await self._engine.record(upload, events)
        self._committed = upload.offset
        self._course.go_on(writer.offset)

    async def _back(self, writer: Writer) -> None:
        """Discard what is not committed."""
        await writer.truncate(self._upload.offset)
        self._upload = await self._engine.record(self._upload, verifying=False)

    def _appended(self, writer: Writer) -> Upload:
        return self._upload.appended(
            writer.offset, length=self._plan.length, now=self._engine.now()
        )

    def _room(self, writer: Writer) -> int | None:
        if self._plan.room is None:
            return None
        return self._plan.offset + self._plan.room - writer.offset


def _closing(refusal: Reject) -> Reject:
    """A refusal in the middle of a body, the rest of which is of no use to anyone."""
    headers = {**refusal.headers, "Connection": "close"}
    return Reject(refusal.status, refusal.reason, headers=headers, body=refusal.body)


def _smaller(room: int | None, step: int) -> int:
    return step if room is None else min(room, step)


async def is_empty(incoming: Incoming) -> bool:
    """Tell whether a body turns out to have no byte.

    Raises:
        TransferStopped: It ended otherwise.
    """
    stop = await incoming.source.pump(
        _Nothing(), limit=0, due=math.inf, interrupt=incoming.interrupt
    )
    if stop not in (Stop.END, Stop.LIMIT):
        raise TransferStopped(stop.value)
    return stop is Stop.END


class _Nothing:
    """A sink for nothing."""

    offset = 0

    async def write(self, batch: Sequence[bytes]) -> None:
        raise AssertionError(f"{len(batch)} chunks came through a limit of 0 bytes")
