"""DELETE: an upload is given up."""

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
    """Remove an upload whose lock is held."""
    # Bytes first: a process that dies in between leaves a record from which to try again.
    await engine.storage.delete(upload)
    await engine.metadata.delete(upload.id)
    engine.unsettled.pop(upload.id, None)
