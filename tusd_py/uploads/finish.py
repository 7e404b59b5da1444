"""The end of an upload: ask the application, publish, record, tell."""

from typing import Any

from tusd_py.errors import StorageError
from tusd_py.hooks import Reply
from tusd_py.hooks.calling import call_each
from tusd_py.metadata import Event
from tusd_py.protocol.upload import Kind, Upload
from tusd_py.storage import Writer

from .engine import Engine, Outcome


def complete(upload: Upload) -> bool:
    """All bytes are there, and the end is not recorded yet."""
    return not upload.finished and upload.offset == upload.length


async def finish(engine: Engine, upload: Upload, writer: Writer) -> Outcome:
    """Finish an upload whose bytes are all there. Its lock is held.

    The bytes are synced, then published, and then the end is recorded together with the event, so
    that a process that dies in between leaves a state from which finishing can be repeated.

    Raises:
        QuotaExceeded: Its subject has more bytes than it may; it stays unfinished with its bytes.
        Reject: The application does not want it; it stays unfinished with its bytes.
        CallableFailed: 500, likewise; the next request at the end of the upload tries again.
        StorageError: 500, likewise.
    """
    await sync(engine, upload, writer)
    reply: Reply | None = None
    upload = await engine.check_quota(upload)
    if upload.kind is not Kind.PARTIAL and engine.hooks.before_finish:
        # The application may take its time, and nothing of it may be lost meanwhile.
        upload = await engine.record(upload)
        reply = await call_each("before_finish", engine.hooks.before_finish, upload)
    await _publish(engine, upload, writer)
    return await record_end(engine, upload, reply)


async def record_end(
    engine: Engine,
    upload: Upload,
    reply: Reply | None = None,
    **changes: Any,  # noqa: ANN401 - attributes of Upload
) -> Outcome:
    """Record the end of an upload that is published, and the event that tells of it."""
    event = None
    if upload.kind is not Kind.PARTIAL and engine.hooks.on_finish:
        event = Event(id=engine.new_id(), upload_id=upload.id)
    upload = await engine.record(upload, event, finished_at=engine.now(), **changes)
    if event is not None:
        engine.notify()
    return Outcome(upload=upload, reply=reply)


async def sync(engine: Engine, upload: Upload, writer: Writer) -> None:
    """Make what was written safe; if that fails, none of it counts any more."""
    try:
        await writer.sync()
    except StorageError:
        await engine.distrust(upload.id)
        raise


async def _publish(engine: Engine, upload: Upload, writer: Writer) -> None:
    try:
        await writer.publish()
    except StorageError:
        # The bytes are safe where they are.
        await engine.record(upload)
        raise


async def finish_unopened(engine: Engine, upload: Upload) -> Outcome:
    """Finish an upload that is not open for writing."""
    writer = engine.storage.writer(upload)
    try:
        return await finish(engine, upload, writer)
    finally:
        await writer.close()
