"""Bringing one part of a file to one upload, whatever happens on the way."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from .attempts import Attempts
from .endpoint import Created, Endpoint, Unsuccessful
from .http import Body, Connection
from .progress import Meter
from .retry import Then
from .source import Source

# How often an upload may be gone, or a chunk arrive damaged, before that is no accident.
_MOST_ANEW: Final = 3
_MOST_DAMAGED: Final = 3
_MISMATCH: Final = 460


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How bytes are sent.

    Attributes:
        chunk_size: Most bytes of one request; None is all that there are.
        checksum: The algorithm whose checksum goes with every chunk, if any.
    """

    chunk_size: int | None
    checksum: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A range of the file, and the upload that it goes to.

    Attributes:
        number: Which one it is, from 0.
        start: Where it begins in the file.
        length: Its bytes.
        url: Of its upload; None if there is none yet.
    """

    number: int
    start: int
    length: int
    url: str | None


class Transfer:
    """Brings one part to its upload.

    Args:
        part: What to bring.
        source: The file.
        endpoint: Of the server.
        attempts: Their own, for nobody shares a connection.
        headers: Of the creation.
        sending: How.
        created: Called with a new upload before its first byte is sent, to remember it.
        meter: Is told how far this part has got.
    """

    def __init__(  # noqa: PLR0913 - the places where the parts of an upload meet
        self,
        part: Part,
        *,
        source: Source,
        endpoint: Endpoint,
        attempts: Attempts,
        headers: Mapping[str, str],
        sending: Sending,
        created: Callable[[int, Created], Awaitable[None]],
        meter: Meter,
    ) -> None:
        self._part = part
        self._source = source
        self._endpoint = endpoint
        self._attempts = attempts
        self._headers = headers
        self._sending = sending
        self._created = created
        self._meter = meter
        self._url = part.url
        self._offset: int | None = None
        self._furthest = 0
        self._anew = 0
        self._damaged = 0
        self.resumed_at = 0

    async def run(self) -> str:
        """Bring all bytes there and return the upload's URL.

        Raises:
            UploadFailed: It did not work, and trying again is of no use or took too long.
        """
        try:
            while True:
                try:
                    return await self._attempts.run(self._bring, self._where)
                except Unsuccessful as gone:
                    self._begin_anew(gone)
        finally:
            self._attempts.close()

    def _where(self) -> str:
        return self._url or self._endpoint.url

    def _begin_anew(self, gone: Unsuccessful) -> None:
        self._anew += 1
        if self._anew > _MOST_ANEW:
            raise gone.refused() from gone
        self._url = None
        self._furthest = self.resumed_at = 0
        self._meter.stands_at(self._part.number, 0)

    async def _bring(self, connection: Connection) -> str:
        # What was sent before this attempt may have arrived, or not.
        self._offset = None
        if self._url is None:
            self._offset = await self._create(connection)
        if self._offset is None:
            self._offset = await self._inspect(connection, self._where())
        while self._offset < self._part.length:
            self._offset = await self._append(connection, self._where(), self._offset)
            self._stands_at(self._offset)
        return self._where()

    async def _create(self, connection: Connection) -> int | None:
        created = await self._endpoint.create(connection, self._headers)
        self._url = created.url
        await self._created(self._part.number, created)
        self._attempts.backoff.progressed()
        self._stands_at(created.offset)
        return created.offset if self._endpoint.leads(connection, created.url) else None

    async def _inspect(self, connection: Connection, url: str) -> int:
        offset = await self._endpoint.inspect(connection, url, self._part.length)
        if not self._furthest:
            self.resumed_at = offset
        self._stands_at(offset)
        return offset

    async def _append(self, connection: Connection, url: str, offset: int) -> int:
        length = min(self._sending.chunk_size or self._part.length, self._part.length - offset)
        start = self._part.start + offset
        checksum = None
        if self._sending.checksum is not None:
            checksum = await self._source.checksum(self._sending.checksum, start, length)
        body = Body(length, self._source.pieces(start, length))
        try:
            return await self._endpoint.append(
                connection,
                url,
                offset,
                body,
                checksum=checksum,
                delivered=lambda count: self._meter.delivered(self._part.number, offset + count),
            )
        except Unsuccessful as error:
            await self._look_after(error, connection, url)
            raise

    async def _look_after(self, error: Unsuccessful, connection: Connection, url: str) -> None:
        """See whether it is the upload that is gone, or the bytes that are not wanted.

        Raises:
            Refused: The upload is there, and does not take them.
            Unsuccessful: It is not there.
        """
        if error.answer.status == _MISMATCH:
            self._damaged += 1
            if self._damaged > _MOST_DAMAGED:
                raise error.refused() from error
        if error.then is Then.INSPECT and connection.usable:
            await self._endpoint.inspect(connection, url, self._part.length)
            raise error.refused() from error

    def _stands_at(self, offset: int) -> None:
        self._meter.stands_at(self._part.number, offset)
        if offset > self._furthest:
            self._furthest = offset
            self._damaged = 0
            self._attempts.backoff.progressed()
