"""Comparing what is recorded with what is stored. Nothing is changed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from tusd_py.errors import UploadNotFound
from tusd_py.metadata import Metadata
from tusd_py.protocol.upload import Upload, UploadId
from tusd_py.storage import Storage

_AT_ONCE = 200
# A small file is stored a moment before it is recorded.
_PAUSE = 1.0


async def verify(storage: Storage, metadata: Metadata, *, pause: float = _PAUSE) -> list[str]:
    """List uploads of which bytes are missing, and files that belong to no upload.

    A server may be running, so what looks wrong is looked at again after a pause in seconds.

    Returns:
        A plain sentence for each.

    Raises:
        StorageError: The files cannot be listed.
        MetadataError: The uploads cannot be listed.
    """
    found = {finding async for finding in _findings(storage, metadata)}
    if not found:
        return []
    await asyncio.sleep(pause)
    return sorted([finding async for finding in _findings(storage, metadata) if finding in found])


async def _findings(storage: Storage, metadata: Metadata) -> AsyncIterator[str]:
    for kind in (_short, _unknown, _unknown_published):
        async for finding in kind(storage, metadata):
            yield finding


async def _short(storage: Storage, metadata: Metadata) -> AsyncIterator[str]:
    async for upload in _all(metadata):
        stored = await storage.size(upload)
        if stored < upload.offset and not await _changed(metadata, upload):
            yield f"Upload {upload.id}: {upload.offset} bytes are recorded, {stored} are stored."


async def _unknown(storage: Storage, metadata: Metadata) -> AsyncIterator[str]:
    async with aclosing(storage.working()) as listed:
        async for upload_ids in listed:
            for upload_id in upload_ids:
                if not await _recorded(metadata, upload_id):
                    yield f"Unfinished file {upload_id}: nothing is recorded of it."


async def _unknown_published(storage: Storage, metadata: Metadata) -> AsyncIterator[str]:
    async with aclosing(storage.published()) as listed:
        async for paths in listed:
            for path in paths:
                if await metadata.at_path(path) is None:
                    yield f"Finished file {path}: nothing is recorded of it."


async def _all(metadata: Metadata) -> AsyncIterator[Upload]:
    after: UploadId | None = None
    while uploads := await metadata.page(after=after, limit=_AT_ONCE):
        for upload in uploads:
            yield upload
        after = uploads[-1].id


async def _changed(metadata: Metadata, upload: Upload) -> bool:
    """A running server has gone on with it, or removed it, since it was listed."""
    try:
        return await metadata.get(upload.id) != upload
    except UploadNotFound:
        return True


async def _recorded(metadata: Metadata, upload_id: UploadId) -> bool:
    try:
        await metadata.get(upload_id)
    except UploadNotFound:
        return False
    return True
