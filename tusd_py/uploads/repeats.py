"""A grant admits a creation once, and a client whose answer got lost asks again."""

from collections.abc import Awaitable, Callable

from tusd_py.errors import GrantUsed, UploadNotFound
from tusd_py.protocol.requests import Creation
from tusd_py.protocol.upload import Kind, Upload, UploadId

from .engine import Engine, Outcome
from .inspect import inspect
from .terms import Terms


async def once(
    engine: Engine,
    terms: Terms,
    creation: Creation,
    subject: str | None,
    make: Callable[[], Awaitable[Outcome]],
) -> Outcome:
    """Create an upload, or find the one that the same request made before.

    It is found as long as nobody came to its URL: then the answer that had the URL got lost, or
    was not used. The body of the repeated request is not read.

    Args:
        engine: The shared parts.
        terms: Of the creation.
        creation: What is asked for.
        subject: Who asks.
        make: Creates it. The store has the last word on the grant, so that of several requests at
            once, in whatever process, no more come through than it admits.

    Raises:
        GrantUsed: 403.
    """
    if terms.use is None:
        return await make()
    try:
        if _costs(engine, creation):
            await engine.metadata.check_use(terms.use)
        return await make()
    except GrantUsed as used:
        return await _repeated(engine, used, subject)


def _costs(engine: Engine, creation: Creation) -> bool:
    """To record it takes more than a row, so it is not even begun with a used grant."""
    made_of_more = creation.body.announced or creation.kind is Kind.FINAL
    return made_of_more or bool(engine.hooks.on_create)


async def _repeated(engine: Engine, used: GrantUsed, subject: str | None) -> Outcome:
    if used.upload_id is None:
        raise used
    upload_id = UploadId(used.upload_id)
    try:
        # First as it is recorded: who is too late disturbs nobody.
        upload = await engine.find(upload_id, subject)
        if upload.fresh:
            upload = await inspect(engine, upload_id, subject)
    except UploadNotFound:
        raise used from None
    if not upload.fresh:
        raise used
    return Outcome(upload=upload)


async def meet(engine: Engine, upload: Upload) -> None:
    """Note that somebody came to the URL of an upload, where nothing else is recorded of it."""
    if upload.fresh:
        await engine.metadata.touch(upload.id)
