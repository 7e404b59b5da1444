"""PATCH: more bytes for an upload."""

from tusd_py.errors import TooLarge
from tusd_py.hooks import Request
from tusd_py.protocol.checksum import check_empty
from tusd_py.protocol.requests import Append
from tusd_py.protocol.rules import check_stale, plan_append
from tusd_py.protocol.upload import Kind, Upload, UploadId

from .concatenate import after_partial
from .engine import Engine, Incoming, Outcome
from .finish import complete, finish_unopened
from .recovery import settled
from .repeats import meet
from .transfer import Transfer, is_empty


async def append(
    engine: Engine, upload_id: UploadId, wanted: Append, request: Request, incoming: Incoming
) -> Outcome:
    """Append the body of a request to an upload.

    Raises:
        UploadNotFound: 404.
        ProtocolError: See ``protocol.rules.plan_append``.
        LockTimeout: 423.
        TooManyUploads: 503.
        TransferStopped: The body ended early.
        StorageError: 507 or 500.
    """

    def check(upload: Upload) -> None:
        check_stale(wanted, upload)

    async with engine.held(upload_id, request.subject, incoming.interrupt, check) as found:
        upload = await settled(engine, found)
        outcome = await _append(engine, upload, wanted, request, incoming)
    if outcome.upload.kind is Kind.PARTIAL and outcome.upload.finished:
        await after_partial(engine, outcome.upload)
    return outcome


async def _append(
    engine: Engine, upload: Upload, wanted: Append, request: Request, incoming: Incoming
) -> Outcome:
    plan = plan_append(wanted, upload, engine.config.max_size)
    # Whatever is recorded of it from now on says that somebody came to its URL.
    met = upload._replace(fresh=False)
    if wanted.body.announced and not upload.finished:
        async with engine.admission.in_turn(
            request.client, incoming.interrupt, engine.config.lock_timeout
        ):
            return await Transfer(engine, met, plan, wanted.body, incoming, request).run()
    # clause patch.finished: at the end of a finished upload nothing more can come.
    if wanted.body.announced and not await is_empty(incoming):
        raise TooLarge(limit=upload.offset, what="This upload")
    check_empty(wanted.body.checksum)
    if upload.finished:
        await meet(engine, upload)
        return Outcome(upload=upload)
    appended = met.appended(upload.offset, length=plan.length, now=engine.now())
    if complete(appended):
        return await finish_unopened(engine, appended, request)
    return Outcome(upload=await engine.record(appended))
