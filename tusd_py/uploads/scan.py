"""Cleaning up after a process that died, all uploads in one pass."""

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from tusd_py.errors import LockTimeout, StorageDamaged, UploadNotFound
from tusd_py.protocol.upload import Kind, Upload, UploadId

from .concatenate import compose_if_ready
from .engine import Engine, log
from .expiry import sweep
from .recovery import recovered

_AT_ONCE = 200


@dataclass(slots=True, kw_only=True)
class Recovery:
    """What a pass did.

    Attributes:
        discarded: Uploads that were stored and never recorded, which were removed.
        expired: Uploads that had expired, or were being removed, likewise.
        finished: Uploads that had all their bytes, and are finished now.
        composed: Final uploads that had all their parts, likewise.
        damaged: Uploads of which fewer bytes are stored than were acknowledged. They stay.
    """

    discarded: int = 0
    expired: int = 0
    finished: int = 0
    composed: int = 0
    damaged: int = 0


async def recover(engine: Engine) -> Recovery:
    """Remove what is nobody's, and finish what can be; returns what was done.

    Uploads that are in use are left alone: whoever uses them does the same for each.

    Raises:
        StorageError: The files cannot be listed.
        MetadataError: The uploads cannot be listed.
    """
    done = Recovery()
    done.discarded = await engine.storage.reclaim(partial(_recorded_at, engine))
    done.expired = await sweep(engine)
    # Final uploads come last, for their parts may be finished before.
    for complete in (_complete, _compose):
        async for upload in _unfinished(engine):
            await _attempt(complete(engine, upload, done), upload, done)
    log.info("recovery.done", **asdict(done))
    return done


async def _recorded_at(engine: Engine, paths: Collection[str]) -> Collection[str]:
    return {path for path in paths if await engine.metadata.at_path(path) is not None}


async def _unfinished(engine: Engine) -> AsyncIterator[Upload]:
    after: UploadId | None = None
    while uploads := await engine.metadata.unfinished(after=after, limit=_AT_ONCE):
        for upload in uploads:
            if not upload.expired(engine.now()):
                yield upload
        after = uploads[-1].id


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
    except Exception:
        # The application may not want it; and what fails here fails for its client, who is told.
        # Whatever it is, the others come next.
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
