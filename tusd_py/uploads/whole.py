"""A small file in one request: one visit to the storage and one record."""

import math
from collections.abc import Sequence
from typing import Final

from tusd_py.config import HookName
from tusd_py.errors import (
    GrantUsed,
    MetadataError,
    OverLimit,
    StorageError,
    TooLarge,
    TransferStopped,
)
from tusd_py.hooks import Request
from tusd_py.metadata import Use
from tusd_py.protocol.requests import Body
from tusd_py.protocol.upload import Upload
from tusd_py.storage import Writer
from tusd_py.streaming import Stop

from .engine import Engine, Incoming, Outcome
from .finish import record_end

# Bytes of a body that is held in memory until it is whole.
_SMALL = 64 * 1024
# The hooks that have something to say or to hear between the first byte and the last.
_IN_BETWEEN: Final[tuple[HookName, ...]] = ("pre-create", "post-receive", "pre-finish")


def comes_whole(engine: Engine, upload: Upload, body: Body) -> bool:
    """The body is the upload, is small, and nobody has a word in it before it is finished."""
    surely_new = upload.id in (upload.path or "") and not engine.hooks.on_create
    web = engine.webhooks
    unasked = web is None or not any(map(web.wants, _IN_BETWEEN))
    unconditional = body.checksum is None and not body.checksum_in_trailer
    return (
        surely_new
        and unconditional
        and unasked
        and not engine.hooks.before_finish
        and body.length is not None
        and 0 < body.length <= _SMALL
        and body.length == upload.length
    )


async def create_whole(
    engine: Engine, upload: Upload, incoming: Incoming, request: Request, use: Use | None
) -> Outcome:
    """Store a new upload that ``comes_whole``. Nobody knows its id yet, so it needs no lock.

    Raises:
        TransferStopped: The body ended early. Nothing is kept, for its client never learns of it.
        TooLarge: 413, the body is longer than it said.
        GrantUsed: Its grant was used meanwhile.
        OverLimit: Its subject has as much as it may.
        StorageError: 507 or 500.
    """
    held = _Held()
    stop = await incoming.source.pump(
        held, limit=upload.length, due=math.inf, interrupt=incoming.interrupt
    )
    if stop is Stop.LIMIT:
        raise TooLarge(limit=held.offset, what="This upload")
    if stop is not Stop.END:
        raise TransferStopped(stop.value)
    engine.meters.transfer(held.offset, 0.0)
    writer = engine.storage.writer(upload)
    try:
        await _publish(engine, upload, writer, held.batch)
        return await _record(engine, upload, writer, request, use)
    finally:
        await writer.close()


async def _publish(engine: Engine, upload: Upload, writer: Writer, batch: Sequence[bytes]) -> None:
    try:
        await writer.publish(batch)
    except BaseException:
        await engine.storage.delete(upload)
        raise


async def _record(
    engine: Engine, upload: Upload, writer: Writer, request: Request, use: Use | None
) -> Outcome:
    try:
        stored = upload._replace(offset=writer.offset)
        outcome = await record_end(engine, stored, request, use=use)
    except (StorageError, MetadataError, GrantUsed, OverLimit):
        # Not when this task is cancelled: the record may be on its way, and be committed yet. If
        # it is not, the file goes when this process has ended.
        engine.unsettled.pop(upload.id, None)
        await engine.storage.delete(upload)
        raise
    writer.recorded()
    return outcome


class _Held:
    """A sink in memory."""

    def __init__(self) -> None:
        self.batch: list[bytes] = []
        self.offset = 0

    async def write(self, batch: Sequence[bytes]) -> None:
        self.batch += batch
        self.offset += sum(len(chunk) for chunk in batch)
