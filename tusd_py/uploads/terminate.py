"""DELETE: an upload is given up."""

from tusd_py.errors import StorageError, StorageFull
from tusd_py.protocol.upload import Upload, UploadId
from tusd_py.streaming import Interrupt

from .engine import Engine, log


async def terminate(engine: Engine, upload_id: UploadId, subject: str | None) -> None:
    """Remove an upload and its bytes. A running transfer is asked to end first.

    Raises:
        UploadNotFound: 404.
        LockTimeout: 423.
        StorageError: 500; it can be tried again.
    """
    async with engine.held(upload_id, subject, Interrupt()) as upload:
        await remove(engine, upload)
    log.debug("upload.terminated", upload_id=upload_id)


async def remove(engine: Engine, upload: Upload) -> None:
    """Remove an upload whose lock is held.

    Raises:
        StorageError: The bytes of a finished upload could not be removed; it can be tried again.
        MetadataError: The record could not be removed, likewise.
    """
    if upload.finished:
        # Bytes first: if the process dies in between, the record leads to what is left.
        await engine.storage.delete(upload)
        await engine.metadata.delete(upload.id)
    else:
        await _remove_unfinished(engine, upload)
    engine.unsettled.pop(upload.id, None)


async def _remove_unfinished(engine: Engine, upload: Upload) -> None:
    """Remove the record first: without its bytes it would be damage.

    Bytes without a record are found by the next start.
    """
    try:
        await engine.metadata.delete(upload.id)
    except StorageFull:
        # A full disk has no room for the removal, before the bytes have made some.
        await engine.storage.delete(upload)
        await engine.metadata.delete(upload.id)
        return
    try:
        await engine.storage.delete(upload)
    except StorageError:
        log.warning("upload.left_over", upload_id=upload.id, exc_info=True)
