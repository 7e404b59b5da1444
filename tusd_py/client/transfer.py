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
from .steps import Steps

# How often an upload may be gone, or a chunk arrive damaged, before that is no accident.
_MOST_ANEW: Final = 3
_MOST_DAMAGED: Final = 3
_MISMATCH: Final = 460


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How bytes are sent.

    Attributes:
        steps: Say how many bytes one request has.
        checksum: The algorithm whose checksum goes with every chunk, if any.
    """

    steps: Steps
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
        # From where to where the last request went that had no answer.
        self._open: tuple[int, int] | None = None
        # Nothing was sent yet in this run to an upload of an earlier one.
        self._resumes = part.url is not None
        self._furthest = 0
        self._doubted: Unsuccessful | None = None
        self._anew = 0
        self._damaged = 0
        self.resumed_at = 0

    async def run(self) -> str:
        """Bring all bytes there and return the upload's URL.

        Raises:
            UploadFailed: It did not work, and trying again is of no use or took too long.
        """
        try:
            while self._url is None or self._offset != self._part.length:
                try:
                    await self._attempts.run(self._step, self._where)
                except Unsuccessful as error:
                    self._doubt(error)
        finally:
            self._attempts.close()
        return self._url

    def _where(self) -> str:
        return self._url or self._endpoint.url

    def _doubt(self, error: Unsuccessful) -> None:
        """Look whether the upload is there at all, or begin anew if that has been seen."""
        if error.then is Then.INSPECT:
            self._doubted = error
            return
        self._anew += 1
        if self._anew > _MOST_ANEW:
            raise error.refused() from error
        self._url = self._offset = self._doubted = None
        self._furthest = self.resumed_at = 0
        self._resumes, self._open = False, None
        self._meter.stands_at(self._part.number, 0)

    async def _step(self, connection: Connection) -> None:
        """Send the request that is next."""
        if self._url is None:
            await self._create(connection)
        elif self._offset is None:
            await self._inspect(connection, self._url)
        else:
            await self._append(connection, self._url, self._offset)

    async def _create(self, connection: Connection) -> None:
        created = await self._endpoint.create(connection, self._headers, self._part.length)
        self._url = created.url
        await self._created(self._part.number, created)
        self._attempts.backoff.progressed()
        self._stands_at(created.offset)

    async def _inspect(self, connection: Connection, url: str) -> None:
        offset = await self._endpoint.inspect(connection, url, self._part.length)
        if self._doubted is not None:
            # The upload is there: it is the bytes that are not wanted.
            raise self._doubted.refused() from self._doubted
        if self._resumes:
            self.resumed_at, self._resumes = offset, False
        if self._open is not None:
            self._sending.steps.broken(*self._open, offset)
            self._open = None
        self._stands_at(offset)

    async def _append(self, connection: Connection, url: str, offset: int) -> None:
        most = self._sending.steps.most(connection.local)
        length = min(most or self._part.length, self._part.length - offset)
        start = self._part.start + offset
        checksum = None
        if self._sending.checksum is not None:
            checksum = await self._source.checksum(self._sending.checksum, start, length)
        # Until there is an answer, the bytes may have arrived or not.
        self._offset, self._open = None, (offset, offset + length)
        try:
            now = await self._endpoint.append(
                connection,
                url,
                offset,
                Body(length, self._source.pieces(start, length)),
                checksum=checksum,
                delivered=lambda count: self._meter.delivered(self._part.number, offset + count),
            )
        except Unsuccessful as error:
            self._open = None
            self._count_damage(error)
            raise
        self._open = None
        self._stands_at(now)

    def _count_damage(self, error: Unsuccessful) -> None:
        if error.answer.status == _MISMATCH:
            self._damaged += 1
            if self._damaged > _MOST_DAMAGED:
                raise error.refused() from error

    def _stands_at(self, offset: int) -> None:
        self._offset = offset
        self._meter.stands_at(self._part.number, offset)
        if offset > self._furthest:
            self._furthest = offset
            self._damaged = 0
            self._attempts.backoff.progressed()
