"""The uploads of an application, for its own code."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

from tusd_py.protocol.upload import Upload, UploadId

from .engine import Engine
from .expiry import sweep
from .scan import Recovery, recover
from .terminate import terminate


class Uploads:
    """Look at, read and remove uploads from the application that runs the server.

    Unlike a client, the application sees the uploads of every subject.
    """

    def __init__(self, engine: Callable[[], Awaitable[Engine]]) -> None:
        self._engine = engine

    async def get(self, upload_id: str) -> Upload:
        """Look an upload up; ``offset`` is what was committed last.

        Raises:
            UploadNotFound: There is none.
        """
        return await (await self._engine()).metadata.get(UploadId(upload_id))

    async def list(
        self, *, subject: str | None = None, after: str | None = None, limit: int = 100
    ) -> Sequence[Upload]:
        """List uploads by id: those of a subject, those after an id, at most ``limit``."""
        following = None if after is None else UploadId(after)
        return await (await self._engine()).metadata.page(
            subject=subject, after=following, limit=limit
        )

    @asynccontextmanager
    async def open(self, upload_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read an upload's bytes in pieces of bounded size.

        Raises:
            UploadNotFound: There is none.
            StorageError: Its bytes cannot be read.
        """
        upload = await self.get(upload_id)
        async with aclosing((await self._engine()).storage.read(upload)) as pieces:
            yield pieces

    async def delete(self, upload_id: str) -> None:
        """Remove an upload and its bytes, as a client's DELETE would.

        Raises:
            UploadNotFound: There is none.
            LockTimeout: It is being written and did not end in time.
        """
        upload = await self.get(upload_id)
        await terminate((await self._engine()), upload.id, upload.subject)

    async def recover(self) -> Recovery:
        """Clean up after a process that died, as it is done once in the background of a start.

        Raises:
            StorageError: The files cannot be listed.
            MetadataError: The uploads cannot be listed.
        """
        return await recover(await self._engine())

    async def sweep(self) -> int:
        """Remove the uploads that have expired; returns how many."""
        return await sweep(await self._engine())
