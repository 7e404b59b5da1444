"""Removing what nobody came back for."""

from tusd_py.errors import LockTimeout, StorageError, UploadNotFound
from tusd_py.protocol.upload import UploadId

from .engine import Engine, log
from .remembering import expire_clients
from .terminate import remove

_AT_ONCE = 200


async def sweep(engine: Engine) -> int:
    """Remove the uploads that have expired; returns how many.

    One that is being used is left alone: using it made it live on. One that cannot be removed is
    left to the next time.
    """
    removed = 0
    passed_over: set[UploadId] = set()
    while True:
        expired = await engine.metadata.expired(engine.now(), _AT_ONCE + len(passed_over))
        fresh = [upload for upload in expired if upload.id not in passed_over]
        if not fresh:
            await engine.metadata.forget_uses(engine.now())
            await expire_clients(engine)
            engine.meters.sweeps.add()
            engine.meters.last_sweep.set(engine.now())
            return removed
        for upload in fresh:
            if await _expire(engine, upload.id):
                removed += 1
            else:
                passed_over.add(upload.id)


async def _expire(engine: Engine, upload_id: UploadId) -> bool:
    try:
        async with engine.unused(upload_id):
            upload = await engine.metadata.get(upload_id)
            if not upload.expired(engine.now()):
                return False
            await remove(engine, upload)
    except (LockTimeout, UploadNotFound):
        return False
    except StorageError:
        log.warning("upload.not_removed", upload_id=upload_id, exc_info=True)
        return False
    engine.meters.expired.add()
    log.info("upload.expired", upload_id=upload_id, offset=upload.offset)
    return True
