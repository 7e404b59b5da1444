"""Making the recorded offset and the stored bytes agree, when an upload is touched."""

from tusd_py.errors import StorageDamaged
from tusd_py.hooks import Request
from tusd_py.protocol.upload import Kind, Upload

from .engine import Engine
from .finish import complete, finish_unopened


async def settled(engine: Engine, upload: Upload) -> Upload:
    """Return the upload with the offset that counts. Its lock is held.

    What this run of the program recorded is exact. What another run left is looked at: the
    committed offset is the floor, and bytes beyond it count if they are in the kernel's care
    since the same boot and no checksum was still to be verified.

    Raises:
        StorageDamaged: Fewer bytes are stored than were acknowledged.
    """
    known = upload.run == engine.run and upload.id not in engine.unsettled
    if known or upload.finished or upload.kind is Kind.FINAL:
        return upload
    stored = await engine.storage.size(upload)
    if stored < upload.offset:
        raise StorageDamaged(upload.id, recorded=upload.offset, stored=stored)
    offset = stored if _trusted(engine, upload) else upload.offset
    if upload.limit is not None:
        offset = min(offset, upload.limit)
    found = upload._replace(offset=offset, verifying=False)
    if stored == offset and found == upload and _boot(upload.run) == _boot(engine.run):
        engine.unsettled.pop(upload.id, None)
        return upload
    await _secure(engine, found)
    return await engine.record(found)


async def recovered(engine: Engine, upload: Upload, request: Request | None = None) -> Upload:
    """Settle an upload, and finish it if all its bytes are there. Its lock is held.

    To its client an offset at the end means success. It was not: the process died between the
    last byte and the end, or the application failed.

    Raises:
        StorageDamaged: Fewer bytes are stored than were acknowledged.
        Reject: The application does not want what is there.
        CallableFailed: The application failed again.
    """
    upload = await settled(engine, upload)
    if not complete(upload):
        return upload
    return (await finish_unopened(engine, upload, request)).upload


def _trusted(engine: Engine, upload: Upload) -> bool:
    if upload.verifying or not engine.unsettled.get(upload.id, True):
        return False
    return _boot(upload.run) == _boot(engine.run)


def _boot(run: str) -> str:
    return run.partition("/")[0]


async def _secure(engine: Engine, upload: Upload) -> None:
    """Cut what does not count and sync what does, before its offset is told to anyone."""
    if upload.offset == 0:
        # It may even have its final name, if power was lost before the end was recorded.
        await engine.storage.delete(upload)
        return
    writer = engine.storage.writer(upload)
    try:
        await writer.truncate(upload.offset)
        await writer.sync()
    finally:
        await writer.close()
