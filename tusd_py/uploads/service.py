"""The uploads of an application, for its own code."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

from tusd_py.network.clients import ClientProfile, client_key
from tusd_py.protocol.upload import Upload, UploadId

from .engine import Engine
from .expiry import sweep
from .remembering import forget_clients
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

    async def clients(
        self, *, after: str | None = None, limit: int = 100
    ) -> Sequence[ClientProfile]:
        """List what was written of clients by key: those after a key, at most ``limit``."""
        store = (await self._engine()).metadata.clients
        return await store.page(after=after, limit=limit)

    async def client(
        self, *, subject: str | None = None, address: str | None = None
    ) -> ClientProfile | None:
        """What was written of a client, by its subject or else its address; None if nothing was.

        What is learned is written seconds later.
        """
        key = client_key(subject, address)
        store = (await self._engine()).metadata.clients
        found = await store.find([key]) if key is not None else ()
        return found[0] if found else None

    async def forget_client(
        self, *, subject: str | None = None, address: str | None = None
    ) -> bool:
        """Forget a client, by its subject or else its address; tells whether it was known.

        Other processes on the same folder forget it within seconds.
        """
        key = client_key(subject, address)
        engine = await self._engine()
        return key is not None and bool(await forget_clients(engine, [key]))

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
