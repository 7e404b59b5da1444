"""HEAD: where an upload stands."""

from tusd_py.hooks import Request
from tusd_py.protocol.upload import Kind, Upload, UploadId
from tusd_py.streaming import Interrupt

from .concatenate import compose_if_ready, known_length
from .engine import Engine
from .recovery import recovered


async def inspect(
    engine: Engine, upload_id: UploadId, subject: str | None, request: Request | None = None
) -> Upload:
    """Return an upload with the offset from which its client can go on.

    A running transfer is asked to end, for it can only be what is left of a dead connection. A
    finished upload needs no lock, and a final one none either.

    Raises:
        UploadNotFound: 404.
        LockTimeout: 423.
        Reject: The application does not want what is there.
        CallableFailed: The application failed again; HEAD is answered with 423.
        HookUnavailable: Likewise.
    """
    upload = await engine.find(upload_id, subject)
    if upload.kind is Kind.FINAL and not upload.finished:
        await compose_if_ready(engine, upload)
        return upload._replace(length=await known_length(engine, upload))
    if upload.finished:
        return upload
    async with engine.held(upload_id, subject, Interrupt()) as held:
        return await recovered(engine, held, request)
