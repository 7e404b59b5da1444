"""POST with ``Upload-Concat: final``: one upload out of several."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from tusd_py.errors import (
    CallableFailed,
    InvalidConcat,
    NotGranted,
    NotSupported,
    StorageError,
    TransferStopped,
    Uncovered,
    UploadNotFound,
)
from tusd_py.hooks import Reply, Request
from tusd_py.protocol.requests import FINAL_TAKES_NO_BODY, Creation
from tusd_py.protocol.rules import check_parts, final_length, fits
from tusd_py.protocol.upload import Upload, UploadId
from tusd_py.storage import Composing
from tusd_py.streaming import Interrupt, Stop

from .create import add, check_room, new_upload
from .engine import Engine, Incoming, Outcome
from .finish import finish_unopened
from .terminate import remove
from .terms import NO_TERMS, Terms
from .transfer import is_empty


async def concatenate(
    engine: Engine,
    creation: Creation,
    part_ids: Sequence[UploadId],
    request: Request,
    incoming: Incoming,
    terms: Terms = NO_TERMS,
) -> Outcome:
    """Create a final upload, or find the one that an earlier try of the same request made.

    Composing goes on when the client goes away: one that repeats the request comes to the same
    upload. With unfinished parts it starts when the last one is finished.

    Raises:
        NotSupported: 501.
        InvalidConcat: 400, a part is unknown, another's, or not a partial upload, or there is a
            body.
        TooLarge: 413.
        GrantUsed: 403, the grant admits no more.
        NotGranted: 403, together they are of another length than the terms have.
        Reject: The application refused.
        StorageError: 507 or 500; repeating the request tries again.
    """
    if creation.body.announced and not await is_empty(incoming):
        raise InvalidConcat(FINAL_TAKES_NO_BODY)
    parts = await _parts(engine, part_ids)
    check_parts(parts, request.subject, engine.config.max_size)
    found = [part for part in parts if part is not None]
    creation = replace(creation, length=final_length(found))
    terms.check_length(creation.length)
    upload, reply = await _find_or_add(engine, creation, found, request, terms)
    if upload.finished or not all(part.finished for part in found):
        return Outcome(upload=upload, reply=reply)
    # Shielded: the request is one of several that may wait for it.
    outcome = await asyncio.shield(start_composing(engine, upload, request))
    return outcome.after(reply)


async def after_partial(engine: Engine, part: Upload) -> None:
    """Start composing the final uploads that waited for this part."""
    for final in await engine.metadata.finals_of(part.id):
        await compose_if_ready(engine, final)


async def compose_if_ready(engine: Engine, final: Upload) -> None:
    """Start composing an unfinished final upload if all its parts are there, and not too much."""
    parts = await _parts(engine, final.parts)
    finished = [part for part in parts if part is not None and part.finished]
    size = sum(part.offset for part in finished)
    if len(finished) == len(parts) and fits(size, final, engine.config.max_size):
        start_composing(engine, final)


async def known_length(engine: Engine, final: Upload) -> int | None:
    """The length in bytes of a final upload, as far as its parts tell by now."""
    parts = await _parts(engine, final.parts)
    found = [part for part in parts if part is not None]
    return final_length(found) if len(found) == len(parts) else None


def start_composing(
    engine: Engine, final: Upload, request: Request | None = None
) -> asyncio.Task[Outcome]:
    """Compose in the background, once for all who ask."""
    task = engine.composing.get(final.id)
    if task is None:
        task = engine.background.start(_compose(engine, final.id, final.subject, request))
        engine.composing[final.id] = task
        task.add_done_callback(lambda _: engine.composing.pop(final.id, None))
    return task


async def _find_or_add(
    engine: Engine, creation: Creation, parts: Sequence[Upload], request: Request, terms: Terms
) -> tuple[Upload, Reply | None]:
    upload, reply = await new_upload(engine, creation, request, terms, parts)
    existing = await _same(engine, upload)
    if existing is not None:
        _check_unused(existing, terms)
        return existing, reply
    try:
        return await add(engine, upload, request, terms.use), reply
    except CallableFailed:
        # Somebody else may have made the same request at the same time.
        existing = await _same(engine, upload)
        if existing is None:
            raise
        _check_unused(existing, terms)
        return existing, reply


def _check_unused(existing: Upload, terms: Terms) -> None:
    """Keep an upload that somebody came to from being handed out with another grant's rights."""
    if terms.use is not None and not existing.fresh:
        raise NotGranted(Uncovered.CONCATENATION, terms.key_id)


async def _same(engine: Engine, upload: Upload) -> Upload | None:
    existing = await engine.metadata.same_final(upload)
    if existing is not None and existing.expired(engine.now()):
        await remove(engine, existing)
        return None
    return existing


async def _parts(engine: Engine, part_ids: Sequence[UploadId]) -> list[Upload | None]:
    known: dict[UploadId, Upload | None] = {}
    for part_id in part_ids:
        if part_id not in known:
            known[part_id] = await _part(engine, part_id)
    return [known[part_id] for part_id in part_ids]


async def _part(engine: Engine, part_id: UploadId) -> Upload | None:
    try:
        part = await engine.metadata.get(part_id)
    except UploadNotFound:
        return None
    return None if part.expired(engine.now()) else part


async def _compose(
    engine: Engine, upload_id: UploadId, subject: str | None, request: Request | None
) -> Outcome:
    interrupt = Interrupt()
    # Another process that composes it already is waited for, not stopped.
    async with engine.held(upload_id, subject, interrupt, ask=False) as upload:
        if upload.finished:
            return Outcome(upload=upload)
        parts = [part for part in await _parts(engine, upload.parts) if part is not None]
        await check_room(engine, sum(part.offset for part in parts))
        try:
            size = await _copy(engine, upload, parts, interrupt)
        except StorageError:
            await engine.storage.delete(upload)
            raise
        composed = upload.appended(size, length=size, now=engine.now())
        return await finish_unopened(engine, composed, request)


async def _copy(
    engine: Engine, upload: Upload, parts: Sequence[Upload], interrupt: Interrupt
) -> int:
    """Compose, unless somebody wants the upload: whoever terminates it need not wait."""
    if not isinstance(engine.storage, Composing):
        raise NotSupported("concatenation")
    copying = asyncio.ensure_future(engine.storage.compose(upload, parts))

    def stop(_: Stop) -> None:
        copying.cancel()

    with interrupt.watched(stop):
        try:
            size = await copying
        except asyncio.CancelledError:
            if interrupt.reason is None:
                copying.cancel()
                raise
            raise TransferStopped(interrupt.reason.value) from None
    if size != sum(part.offset for part in parts):
        raise StorageError
    return size
