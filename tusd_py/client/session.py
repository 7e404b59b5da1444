"""One file on its way: which uploads it goes to, and what is remembered of them."""

import asyncio
import random
import time

from tusd_py.protocol.checksum import ALGORITHMS
from tusd_py.protocol.extensions import Extension

from .attempts import Attempts
from .endpoint import Endpoint, Unsuccessful
from .errors import NotOffered
from .links import Links
from .memory import Memory
from .options import Options
from .parts import cover, divided, numbered
from .progress import Meter, Tell
from .retry import Backoff, Bounds
from .source import Source
from .state import SavedPart
from .steps import Steps
from .transfer import Part, Sending, Transfer


class Session:
    """Brings one file to the server.

    Args:
        source: The file.
        endpoint: Where to.
        options: How.
        links: Tell of changes, and are being watched.
        metadata: The value of ``Upload-Metadata``; empty sends none.
        tell: Called with each progress.
    """

    def __init__(
        self,
        source: Source,
        *,
        endpoint: Endpoint,
        options: Options,
        links: Links,
        metadata: str,
        tell: Tell,
    ) -> None:
        self._source = source
        self._endpoint = endpoint
        self._options = options
        self._links = links
        self._headers = {"Upload-Metadata": metadata} if metadata else {}
        self._tell = tell
        self._steps = Steps(options, links.chunk_size)
        self._size = source.fingerprint.size
        self._known = False
        self.resumed_at = 0

    async def run(self, memory: Memory) -> str:
        """Upload, and return the URL.

        Raises:
            UploadFailed: It did not come to its end.
        """
        self._known = any(part.url for part in memory.parts)
        parts = await self._divided(memory)
        meter = Meter(self._size, len(parts), self._tell, time.monotonic)
        urls = await self._bring(parts, meter, memory)
        await asyncio.to_thread(self._source.check_unchanged)
        return urls[0] if len(urls) == 1 else await self._concatenate(urls, meter)

    async def _divided(self, memory: Memory) -> tuple[SavedPart, ...]:
        """What was begun is finished as it was begun; otherwise as the options say."""
        parallel = await self._discovered()
        if not cover(memory.parts, self._size):
            memory.parts = divided(self._size, parallel)
        return memory.parts

    async def _discovered(self) -> int:
        """Ask what the server offers, if that matters; returns how many parts there may be.

        Raises:
            NotOffered: It does not offer the checksum that is asked for.
        """
        checksum, parallel = self._options.checksum, self._options.parallel
        if checksum is None and parallel == 1:
            return 1
        meter = Meter(self._size, 1, self._tell, time.monotonic)
        attempts = self._attempts(0, meter)
        try:
            offer = await attempts.run(self._endpoint.discover, lambda: self._endpoint.url)
        except Unsuccessful as error:
            raise error.refused() from error
        finally:
            attempts.close()
        self._known = True
        if checksum is not None and checksum not in offer.algorithms:
            offered = ", ".join(sorted(offer.algorithms & {*ALGORITHMS})) or "none"
            raise NotOffered(f"The server verifies no {checksum}. It offers: {offered}.")
        return parallel if Extension.CONCATENATION in offer.extensions else 1

    async def _bring(self, parts: tuple[SavedPart, ...], meter: Meter, memory: Memory) -> list[str]:
        transfers = [
            self._transfer(part, meter, memory, alone=len(parts) == 1) for part in numbered(parts)
        ]
        tasks = [asyncio.ensure_future(transfer.run()) for transfer in transfers]
        try:
            urls = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.resumed_at = sum(transfer.resumed_at for transfer in transfers)
        return urls

    def _transfer(self, part: Part, meter: Meter, memory: Memory, *, alone: bool) -> Transfer:
        kind = self._headers if alone else {"Upload-Concat": "partial"}
        return Transfer(
            part,
            source=self._source,
            endpoint=self._endpoint,
            attempts=self._attempts(part.number, meter),
            headers=kind,
            sending=Sending(steps=self._steps, checksum=self._options.checksum),
            created=memory.created,
            meter=meter,
        )

    async def _concatenate(self, urls: list[str], meter: Meter) -> str:
        attempts = self._attempts(0, meter)
        try:
            return await attempts.run(
                lambda connection: self._endpoint.concatenate(connection, urls, self._headers),
                lambda: self._endpoint.url,
            )
        except Unsuccessful as error:
            raise error.refused() from error
        finally:
            attempts.close()

    def _attempts(self, part: int, meter: Meter) -> Attempts:
        options = self._options
        bounds = Bounds(
            first=options.first_delay,
            longest=options.longest_delay,
            reconnect=options.reconnect_delay,
            patience=options.patience,
            first_contact=options.patience if self._known else options.first_contact,
        )
        backoff = Backoff(bounds, clock=time.monotonic, jitter=random.random)
        return Attempts(self._endpoint, self._links, backoff, lambda why: meter.paused(part, why))
