"""Cleaning up after a process that died, all uploads in one pass."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import Any

from tusd_py.errors import LockTimeout, StorageDamaged, TusError, UploadNotFound
from tusd_py.protocol.upload import Kind, Upload, UploadId

from .concatenate import compose_if_ready
from .engine import Engine, log
from .recovery import recovered

_AT_ONCE = 200
# Ids that are held in memory.
_MOST_UNKNOWN = 10_000
# Longer than a record waits for a busy database.
_PAUSE = 6.0


@dataclass(slots=True, kw_only=True)
class Recovery:
    """What a pass did.

    Attributes:
        discarded: Files of uploads that were never recorded, which were removed.
        tidied: Finished uploads that had a second name, which was removed.
        finished: Uploads that had all their bytes, and are finished now.
        composed: Final uploads that had all their parts, likewise.
        damaged: Uploads of which fewer bytes are stored than were acknowledged. They stay.
    """

    discarded: int = 0
    tidied: int = 0
    finished: int = 0
    composed: int = 0
    damaged: int = 0


async def recover(engine: Engine, *, pause: float = _PAUSE) -> Recovery:
    """Remove what is nobody's, and finish what can be; returns what was done.

    Uploads that are in use are left alone: whoever uses them does the same for each.

    Args:
        engine: The shared parts.
        pause: Seconds after which what is not recorded will never be.

    Raises:
        StorageError: The files cannot be listed.
        MetadataError: The uploads cannot be listed.
    """
    done = Recovery()
    unknown: list[UploadId] = []
    async with aclosing(engine.storage.working()) as batches:
        async for batch in batches:
            unknown += await _clean(engine, batch, done)
            if len(unknown) >= _MOST_UNKNOWN:
                await _discard(engine, unknown, done, pause)
                unknown = []
    # Final uploads come last, for their parts may be finished before.
    for complete in (_complete, _compose):
        async for upload in _unfinished(engine):
            await _attempt(complete(engine, upload, done), upload, done)
    if unknown:
        await _discard(engine, unknown, done, pause)
    log.info("recovery.done", **asdict(done))
    return done


async def _unfinished(engine: Engine) -> AsyncIterator[Upload]:
    after: UploadId | None = None
    while uploads := await engine.metadata.unfinished(after=after, limit=_AT_ONCE):
        for upload in uploads:
            if not upload.expired(engine.now()):
                yield upload
        after = uploads[-1].id


async def _clean(engine: Engine, batch: Sequence[UploadId], done: Recovery) -> list[UploadId]:
    """Tidy up what is finished; returns what nothing is recorded of."""
    unknown: list[UploadId] = []
    for upload_id in batch:
        upload = await _recorded(engine, upload_id)
        if upload is None:
            unknown.append(upload_id)
        else:
            done.tidied += await _tidy(engine, upload)
    return unknown


async def _discard(
    engine: Engine, unknown: Sequence[UploadId], done: Recovery, pause: float
) -> None:
    """Remove what is not recorded after a pause either, for another process may be about to.

    All at once, for to find their published files can take long. It needs no lock: only small
    files are stored before they are recorded, and nobody can ask for those yet.
    """
    await asyncio.sleep(pause)
    orphans = [
        upload_id
        for upload_id in unknown
        # In this order: here a small file is received until it is recorded.
        if upload_id not in engine.receiving and await _recorded(engine, upload_id) is None
    ]
    if orphans:
        await engine.storage.discard(orphans)
    done.discarded += len(orphans)


async def _recorded(engine: Engine, upload_id: UploadId) -> Upload | None:
    try:
        return await engine.metadata.get(upload_id)
    except UploadNotFound:
        return None


async def _tidy(engine: Engine, upload: Upload) -> bool:
    if not upload.finished or upload.path is None:
        return False
    try:
        async with engine.unused(upload.id):
            return await engine.storage.tidy(await engine.metadata.get(upload.id))
    except (LockTimeout, UploadNotFound):
        return False


async def _attempt(work: Coroutine[Any, Any, None], upload: Upload, done: Recovery) -> None:
    try:
        await work
    except (LockTimeout, UploadNotFound):
        return
    except StorageDamaged as damage:
        done.damaged += 1
        log.error(
            "upload.damaged", upload_id=upload.id, recorded=damage.recorded, stored=damage.stored
        )
    except TusError:
        # The application may not want it; and what fails here fails for its client, who is told.
        log.warning("recovery.failed", upload_id=upload.id, exc_info=True)


async def _complete(engine: Engine, found: Upload, done: Recovery) -> None:
    """Finish an upload that has all its bytes. Any other can wait for its client."""
    if found.kind is Kind.FINAL or found.run == engine.run:
        return
    async with engine.unused(found.id):
        upload = await engine.metadata.get(found.id)
        if upload.finished:
            return
        stored = await engine.storage.size(upload)
        if stored < upload.offset:
            raise StorageDamaged(upload.id, recorded=upload.offset, stored=stored)
        if upload.length is not None and stored >= upload.length:
            done.finished += (await recovered(engine, upload)).finished


async def _compose(engine: Engine, found: Upload, done: Recovery) -> None:
    """Compose a final upload whose parts are all finished, and wait for it."""
    if found.kind is not Kind.FINAL:
        return
    await compose_if_ready(engine, found)
    task = engine.composing.get(found.id)
    if task is not None:
        await asyncio.wait((task,))
        done.composed += not task.cancelled() and task.exception() is None
