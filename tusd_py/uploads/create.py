"""POST: a new upload, perhaps with its first bytes."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from tusd_py.errors import (
    CallableFailed,
    InvalidHeader,
    MetadataError,
    ProtocolError,
    Reject,
    StorageError,
    StorageFull,
    TooLarge,
    TransferStopped,
    UnsupportedMediaType,
    UploadExists,
)
from tusd_py.hooks import Changes, NewUpload, Reply, Request
from tusd_py.hooks.calling import call_each
from tusd_py.metadata import Use
from tusd_py.protocol.checksum import check_empty
from tusd_py.protocol.metadata import format_metadata, parse_metadata
from tusd_py.protocol.requests import Creation
from tusd_py.protocol.rules import plan_body, smaller
from tusd_py.protocol.upload import Kind, Upload, UploadId
from tusd_py.quantities import days

from .advice import chunk_size
from .engine import Engine, Incoming, Outcome, log
from .finish import finish_unopened
from .link import FindLink
from .telling import events_of
from .terms import NO_TERMS, Terms
from .transfer import Transfer, is_empty
from .whole import comes_whole, create_whole

# Further away there are no dates to put into headers: it is for ever.
_LONGEST_LIFE = days(36_500)
_NO_CHANGES = Changes()
_GOOD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)


async def create(
    engine: Engine,
    creation: Creation,
    request: Request,
    incoming: Incoming,
    terms: Terms = NO_TERMS,
) -> Outcome:
    """Create a plain or partial upload and receive the body that came with the request.

    Raises:
        GrantUsed: 403, the grant admits no more.
        UnsupportedMediaType: 415, there is a body and it is of another type.
        StorageFull: 507, there is less room than ``Upload-Length``.
        Reject: The application refused.
        CallableFailed: 500.
        ChecksumMismatch: 460, and no upload was created.
        TooLarge: 413, and no upload was created.
        TooManyUploads: 503, and no upload was created.
        TransferStopped: The body ended early; the upload exists, unknown to the client.
    """
    engine.admission.enter(request.client)
    try:
        return await _create(engine, creation, request, incoming, terms)
    finally:
        engine.admission.leave(request.client)


async def _create(
    engine: Engine, creation: Creation, request: Request, incoming: Incoming, terms: Terms
) -> Outcome:
    if creation.body.announced and creation.foreign_type:
        # Real clients send a chunked body with nothing in it.
        if not await is_empty(incoming):
            raise UnsupportedMediaType
        creation = replace(creation, body=replace(creation.body, announced=False))
    if not creation.body.announced:
        check_empty(creation.body.checksum)
    await check_room(engine, creation.length)
    upload, reply = await new_upload(engine, creation, request, terms, link=incoming.link)
    if creation.body.announced:
        outcome = await _receive(engine, upload, creation, request, incoming, terms.use)
        return outcome.after(reply)
    upload = await add(engine, upload, request, terms.use)
    # clause creation.empty
    if upload.length == 0:
        try:
            return (await finish_unopened(engine, upload, request)).after(reply)
        except Reject:
            await _undo(engine, upload, request, terms.use)
            raise
    return Outcome(upload=upload, reply=reply)


async def new_upload(
    engine: Engine,
    creation: Creation,
    request: Request,
    terms: Terms,
    parts: Sequence[Upload] = (),
    link: FindLink | None = None,
) -> tuple[Upload, Reply | None]:
    """Make the facts of a new upload, with what the application wants of it; not yet recorded.

    Returns:
        The upload, and what the application wants the answer to be.

    Raises:
        Reject: The application refused.
        CallableFailed: 500, it failed, or asked for what cannot be.
        HookUnavailable: 503.
    """
    part_ids = tuple(part.id for part in parts)
    changes = await _ask(engine, creation, request, part_ids, link)
    now = engine.now()
    lifetime = changes.lifetime if changes.lifetime is not None else engine.config.expire_after
    lifetime = None if lifetime is None or lifetime > _LONGEST_LIFE else lifetime
    upload = Upload(
        id=_checked_id(changes.id) if changes.id is not None else UploadId(engine.new_id()),
        kind=creation.kind,
        length=creation.length,
        max_length=smaller(changes.max_length, terms.max_length),
        metadata=_metadata(creation, changes),
        concat=creation.concat,
        parts=part_ids,
        subject=request.subject,
        created_at=now,
        lifetime=lifetime,
        expires_at=None if lifetime is None else now + lifetime,
        path=changes.path,
        fresh=terms.use is not None,
        key_id=terms.signed_by,
    )
    if upload.max_length is not None and (upload.length or 0) > upload.max_length:
        raise TooLarge(limit=upload.max_length, what="This upload")
    # A partial upload is never published.
    path = None if upload.kind is Kind.PARTIAL else engine.storage.place(upload)
    return upload._replace(path=path), changes.reply


async def add(engine: Engine, upload: Upload, request: Request, use: Use | None) -> Upload:
    """Record a new upload.

    Raises:
        CallableFailed: 500, the application chose an id or a path that is taken.
        GrantUsed: Its grant admits no more.
    """
    try:
        events = events_of(engine, "post-create", upload, request)
        return await engine.record(upload, events, use=use)
    except UploadExists as error:
        engine.unsettled.pop(upload.id, None)
        log.warning("upload.exists", upload_id=upload.id, path=upload.path)
        raise CallableFailed("on_create") from error


async def _ask(
    engine: Engine,
    creation: Creation,
    request: Request,
    parts: tuple[UploadId, ...],
    link: FindLink | None,
) -> Changes:
    callables, webhooks = engine.hooks.on_create, engine.webhooks
    if webhooks is not None and not webhooks.wants("pre-create"):
        webhooks = None
    if not callables and webhooks is None:
        return _NO_CHANGES
    limit = engine.config.max_size
    new = NewUpload(
        kind=creation.kind,
        length=creation.length,
        metadata=parse_metadata(creation.metadata),
        request=request,
        parts=parts,
        chunk_size=None if parts else chunk_size(engine, link, creation.length, most=limit),
    )
    changes = await call_each("on_create", callables, new) if callables else None
    if webhooks is not None:
        changes = await webhooks.pre_create(new) or changes
    return changes or _NO_CHANGES


def _checked_id(chosen: str) -> UploadId:
    # An id from the application may hold what a client sent.
    if not _GOOD_ID.fullmatch(chosen):
        log.error("hook.bad_id", hook="on_create")
        raise CallableFailed("on_create")
    return UploadId(chosen)


def _metadata(creation: Creation, changes: Changes) -> str:
    if changes.metadata is None:
        return creation.metadata
    try:
        return format_metadata(changes.metadata)
    except InvalidHeader as error:
        log.exception("hook.bad_metadata", hook="on_create")
        raise CallableFailed("on_create") from error


async def check_room(engine: Engine, length: int | None) -> None:
    """Refuse what cannot fit before the first byte of it comes.

    Raises:
        StorageFull: 507, there is less room than these bytes.
    """
    if length:
        free = await engine.storage.free()
        if free is not None and free < length:
            raise StorageFull


async def _receive(
    engine: Engine,
    upload: Upload,
    creation: Creation,
    request: Request,
    incoming: Incoming,
    use: Use | None,
) -> Outcome:
    """Receive the first bytes.

    A client that is refused never learns of the upload, so nothing is kept of it. Nor does one
    whose connection breaks; with a grant it comes to the upload by the same request, but not to a
    partial one, which is never taken for another.
    """
    plan = plan_body(creation.body, upload, upload.length, engine.config.max_size)
    if comes_whole(engine, upload, creation.body):
        return await create_whole(engine, upload, incoming, request, use)
    upload = await add(engine, upload, request, use)
    lease = engine.locks.hold(
        upload.id, timeout=engine.config.lock_timeout, on_revoke=incoming.interrupt.revoke
    )
    try:
        async with lease:
            return await Transfer(engine, upload, plan, creation.body, incoming, request).run()
    except (ProtocolError, Reject, StorageError, MetadataError):
        await _undo(engine, upload, request, use)
        raise
    except TransferStopped:
        if use is not None and use.part:
            await _undo(engine, upload, request, use)
        raise


async def _undo(engine: Engine, upload: Upload, request: Request, use: Use | None) -> None:
    """Remove what nobody knows of, and give its use back to the grant."""
    await engine.storage.delete(upload)
    engine.unsettled.pop(upload.id, None)
    # Where even that fails, its record expires.
    with suppress(StorageError, MetadataError):
        events = events_of(engine, "post-terminate", upload, request)
        await engine.metadata.delete(upload.id, events=events, use=use)
