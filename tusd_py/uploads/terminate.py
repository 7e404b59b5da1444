"""DELETE: an upload is given up."""

from collections.abc import Callable
from contextlib import suppress

from tusd_py.errors import StorageFull
from tusd_py.hooks import Reply, Request
from tusd_py.protocol.upload import Upload, UploadId
from tusd_py.streaming import Interrupt

from .engine import Engine, log
from .telling import events_of, storage_of


async def terminate(
    engine: Engine,
    upload_id: UploadId,
    subject: str | None,
    check: Callable[[Upload], None] | None = None,
    request: Request | None = None,
) -> Reply | None:
    """Remove an upload and its bytes. A running transfer is asked to end first.

    Args:
        engine: The shared parts.
        upload_id: Which upload.
        subject: Who asks.
        check: Raises if they may not remove it as it is.
        request: The client's; the application's own code needs no leave.

    Returns:
        What the application wants the answer to be.

    Raises:
        Reject: The application wants to keep it.
        HookUnavailable: 503.
        UploadNotFound: 404.
        LockTimeout: 423.
        StorageError: 500; it can be tried again.
    """
    async with engine.held(upload_id, subject, Interrupt(), check) as upload:
        if check is not None:
            check(upload)
        reply = await _ask(engine, upload, request)
        await remove(engine, upload, request)
    engine.meters.terminated.add()
    log.debug("upload.terminated", upload_id=upload_id)
    return reply


async def _ask(engine: Engine, upload: Upload, request: Request | None) -> Reply | None:
    webhooks = engine.webhooks
    if request is None or webhooks is None or not webhooks.wants("pre-terminate"):
        return None
    return await webhooks.pre_terminate(upload, storage_of(engine, upload), request)


async def remove(engine: Engine, upload: Upload, request: Request | None = None) -> None:
    """Remove an upload whose lock is held.

    First it is recorded as one that has expired: whatever happens then, it is gone for its client,
    and the next sweep goes on where this ended.

    Raises:
        StorageError: The bytes could not be removed.
        MetadataError: The record could not be changed or removed.
    """
    if not upload.expired(engine.now()):
        # A full disk has no room for that, before the bytes have made some.
        with suppress(StorageFull):
            await engine.record(upload, finished_at=None, expires_at=0.0)
    await engine.storage.delete(upload)
    events = events_of(engine, "post-terminate", upload, request)
    await engine.metadata.delete(upload.id, events=events)
    if events:
        engine.notify()
    engine.unsettled.pop(upload.id, None)
