"""The uploader: a file, a URL, and whatever the network does in between."""

import asyncio
import mimetypes
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tusd_py.errors import check_headers
from tusd_py.protocol.metadata import format_metadata
from tusd_py.telemetry import get_logger

from .address import parse_url, without_grant
from .endpoint import Endpoint
from .errors import FileChanged
from .http import Timeouts
from .links import Links, LinkWatcher, Machine
from .memory import Memory
from .options import Options
from .progress import Phase, Progress, Tell
from .session import Session
from .source import Source
from .state import StateFolder, default_folder

_log = get_logger(__name__)
_DEFAULT: Final = Options()


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """What came of it.

    Attributes:
        url: Of the upload.
        size: Its bytes.
        resumed_at: How many of them the server had from an earlier run.
        seconds: How long this run took.
    """

    url: str
    size: int
    resumed_at: int
    seconds: float


class Uploader:
    """Uploads files to one server, one call of ``upload`` for each; several may run at once.

    Args:
        url: Where uploads are created, with or without a grant in its path.
        token: A creation grant, or another bearer token.
        options: How.
        headers: To send with every request to this server.
        links: Tells when this machine's way into the network changes; "auto" watches the machine
            while it uploads, and None nothing.
        remember: Where unfinished uploads are written down, so that another process can go on
            with them: the user's state folder, or another one. False writes nothing down.
        tls: How certificates are verified, if not by those that the system trusts.

    Raises:
        ValueError: The URL is none, or a header cannot be sent.
    """

    def __init__(  # noqa: PLR0913 - what an application sets up once
        self,
        url: str,
        *,
        token: str | None = None,
        options: Options = _DEFAULT,
        headers: Mapping[str, str] | None = None,
        links: LinkWatcher | Literal["auto"] | None = None,
        remember: Path | bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        check_headers({**(headers or {}), "Authorization": token or ""})
        self._url = url
        self._encrypted = parse_url(url).scheme == "https"
        self._token = token
        self._options = options
        self._headers = dict(headers or {})
        self._watcher = links
        self._tls = tls
        folder = default_folder() if remember is True else remember
        self._folder = StateFolder(folder, time.time) if folder else None

    async def upload(
        self,
        path: Path,
        *,
        metadata: Mapping[str, str] | None = None,
        on_progress: Tell = lambda _: None,
    ) -> Uploaded:
        """Upload a file, or go on with what an earlier call or another process left unfinished.

        Args:
            path: Of the file, which must not change meanwhile.
            metadata: Goes with the upload; by default ``filename``, and ``filetype`` if its name
                tells.
            on_progress: Called from the event loop up to ten times a second; must not block.

        Raises:
            FileUnreadable: It cannot be read.
            UploadFailed: It did not come to its end; ``resumable`` tells whether to call again.
        """
        began = time.monotonic()
        async with self._opened(path) as source, self._links() as links:
            session = Session(
                source,
                endpoint=await self._endpoint(links),
                options=self._options,
                links=links,
                metadata=await asyncio.to_thread(_metadata, path, metadata),
                tell=on_progress,
            )
            async with self._remembered(source, on_progress) as memory:
                url = await session.run(memory)
        size = source.fingerprint.size
        on_progress(Progress(phase=Phase.FINISHED, sent=size, total=size))
        seconds = time.monotonic() - began
        return Uploaded(url=url, size=size, resumed_at=session.resumed_at, seconds=seconds)

    @asynccontextmanager
    async def _links(self) -> AsyncIterator[Links]:
        async with AsyncExitStack() as stack:
            watcher: LinkWatcher | Machine | None = None
            if self._watcher == "auto":
                watcher = await _machine(stack)
            else:
                watcher = self._watcher
            yield await stack.enter_async_context(Links(watcher))

    async def _endpoint(self, links: Links) -> Endpoint:
        if self._tls is None and self._encrypted:
            # Reads all certificates that the system trusts.
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        options = self._options
        return Endpoint(
            self._url,
            token=self._token,
            headers=self._headers,
            timeouts=Timeouts(
                connect=options.connect_timeout,
                stall=options.stall_timeout,
                answer=options.answer_timeout,
            ),
            tls=self._tls,
            interfaces=lambda: links.interfaces,
        )

    @asynccontextmanager
    async def _opened(self, path: Path) -> AsyncIterator[Source]:
        source = await asyncio.to_thread(Source, path)
        try:
            yield source
        finally:
            await asyncio.to_thread(source.close)

    @asynccontextmanager
    async def _remembered(self, source: Source, tell: Tell) -> AsyncIterator[Memory]:
        folder = self._folder
        if folder is None:
            yield Memory()
            return
        loop = asyncio.get_running_loop()
        size = source.fingerprint.size

        def digest() -> str:
            comparing = Progress(phase=Phase.COMPARING, sent=0, total=size)
            loop.call_soon_threadsafe(tell, comparing)
            return source.digest()

        claim = await asyncio.to_thread(
            folder.claim,
            without_grant(self._url),
            source.fingerprint,
            digest,
            by_content=self._options.by_content,
        )
        try:
            yield Memory(folder, claim)
        except FileChanged:
            await asyncio.to_thread(claim.forget)
            raise
        else:
            await asyncio.to_thread(claim.forget)
        finally:
            await asyncio.to_thread(claim.release)


def usual_metadata(path: Path) -> dict[str, str]:
    """What servers commonly look for. Blocks: the system's list of types is a file."""
    kind, _ = mimetypes.guess_type(path.name)
    return {"filename": path.name, **({"filetype": kind} if kind else {})}


async def _machine(stack: AsyncExitStack) -> Machine | None:
    """This machine until the end of the stack; None if it does not let itself be watched."""
    # Who does not want it does without psutil.
    from .machine import WatchedMachine

    try:
        return await stack.enter_async_context(WatchedMachine())
    except OSError as error:
        _log.warning("client.links.unwatched", why=error.strerror)
        return None


def _metadata(path: Path, given: Mapping[str, str] | None) -> str:
    """The value of ``Upload-Metadata``. Blocks."""
    given = usual_metadata(path) if given is None else given
    return format_metadata({name: value.encode() for name, value in given.items()})
