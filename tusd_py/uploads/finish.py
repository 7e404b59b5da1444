"""The end of an upload: ask the application, publish, record, tell."""

from tusd_py.errors import StorageError
from tusd_py.hooks import Reply, Request
from tusd_py.hooks.calling import call_each
from tusd_py.metadata import Use
from tusd_py.protocol.upload import Kind, Upload
from tusd_py.storage import Writer

from .engine import Engine, Outcome
from .telling import events_of, storage_of


def complete(upload: Upload) -> bool:
    """All bytes are there, and the end is not recorded yet."""
    return not upload.finished and upload.offset == upload.length


async def finish(
    engine: Engine, upload: Upload, writer: Writer, request: Request | None = None
) -> Outcome:
    """Finish an upload whose bytes are all there. Its lock is held.

    The bytes are synced, then published, and then the end is recorded together with the event, so
    that a process that dies in between leaves a state from which finishing can be repeated.

    Raises:
        QuotaExceeded: Its subject has more bytes than it may; it stays unfinished with its bytes.
        Reject: The application does not want it; it stays unfinished with its bytes.
        CallableFailed: 500, likewise; the next request at the end of the upload tries again.
        HookUnavailable: 503, likewise.
        StorageError: 500, likewise.
    """
    await sync(engine, upload, writer)
    upload, reply = await _ask(engine, await engine.check_quota(upload), request)
    await _publish(engine, upload, writer)
    return await record_end(engine, upload, request, reply=reply)


async def _ask(
    engine: Engine, upload: Upload, request: Request | None
) -> tuple[Upload, Reply | None]:
    """Ask the application, which may take its time: nothing of the upload may be lost meanwhile."""
    callables = engine.hooks.before_finish if upload.kind is not Kind.PARTIAL else []
    webhooks = engine.webhooks
    if webhooks is not None and not webhooks.wants("pre-finish"):
        webhooks = None
    if not callables and webhooks is None:
        return upload, None
    upload = await engine.record(upload)
    reply = await call_each("before_finish", callables, upload) if callables else None
    if webhooks is not None:
        reply = await webhooks.pre_finish(upload, storage_of(engine, upload), request) or reply
    return upload, reply


async def record_end(
    engine: Engine,
    upload: Upload,
    request: Request | None,
    *,
    reply: Reply | None = None,
    use: Use | None = None,
) -> Outcome:
    """Record the end of an upload that is published, and the events that tell of it.

    If it is new, those that tell of its creation come first.
    """
    created = (
        () if upload.run else events_of(engine, "post-create", upload._replace(offset=0), request)
    )
    ended = upload._replace(finished_at=engine.now())
    finished = events_of(engine, "post-finish", ended, request)
    recorded = await engine.record(ended, [*created, *finished], use=use)
    engine.meters.finished.add()
    engine.meters.lives.observe(engine.now() - upload.created_at)
    return Outcome(upload=recorded, reply=reply)


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


async def finish_unopened(
    engine: Engine, upload: Upload, request: Request | None = None
) -> Outcome:
    """Finish an upload that is not open for writing."""
    writer = engine.storage.writer(upload)
    try:
        return await finish(engine, upload, writer, request)
    finally:
        await writer.close()
