"""The end of an upload: ask the application, publish, record, tell."""

from tusd_py.hooks import Reply
from tusd_py.hooks.calling import call_each
from tusd_py.metadata import Event
from tusd_py.protocol.upload import Kind, Upload
from tusd_py.storage import Writer

from .engine import Engine, Outcome, log


def complete(upload: Upload) -> bool:
    """All bytes are there, and the end is not recorded yet."""
    return not upload.finished and upload.offset == upload.length


async def finish(engine: Engine, upload: Upload, writer: Writer) -> Outcome:
    """Finish an upload whose bytes are all there. Its lock is held.

    The bytes are published before the end is recorded, and the event is recorded with it, so
    that a process that dies in between leaves a state from which finishing can be repeated.

    Raises:
        Reject: The application does not want it; it stays unfinished with its bytes.
        CallableFailed: 500, likewise; the next request at the end of the upload tries again.
    """
    reply: Reply | None = None
    product = upload.kind is not Kind.PARTIAL
    if product and engine.hooks.before_finish:
        # The application may take its time, and the bytes are acknowledged by nobody yet.
        await writer.sync()
        upload = await engine.record(upload)
        reply = await call_each("before_finish", engine.hooks.before_finish, upload)
    await writer.publish()
    event = None
    if product and engine.hooks.on_finish:
        event = Event(id=engine.new_id(), upload_id=upload.id)
    upload = await engine.record(upload, event, finished_at=engine.now())
    if event is not None:
        engine.notify()
    log.debug("upload.finished", upload_id=upload.id, length=upload.length, path=upload.path)
    return Outcome(upload=upload, reply=reply)


async def finish_unopened(engine: Engine, upload: Upload) -> Outcome:
    """Finish an upload that is not open for writing."""
    writer = engine.storage.writer(upload)
    try:
        return await finish(engine, upload, writer)
    finally:
        await writer.close()
