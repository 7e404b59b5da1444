"""The protocol as a client speaks it: a request and its answer for each verb."""

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

from tusd_py.errors import InvalidHeader
from tusd_py.protocol.checksum import Checksum, format_checksum
from tusd_py.protocol.headers import OFFSET_TYPE, VERSION, parse_bytes
from tusd_py.quantities import hours

from .address import parse_url, resolved
from .dates import read_date
from .errors import NotTrusted, NoTusServer, Refused
from .http import Answer, Body, Connection, Delivered, Request, Timeouts
from .problems import read_problem
from .retry import Then, after, retry_after

if TYPE_CHECKING:
    from tusd_py.network import Snapshot

_LOWEST_ERROR = 300
_GONE = 410
_TO_CONCATENATE: Final = hours(1)
_ACTIONS = {
    "OPTIONS": "to say what it offers",
    "POST": "to create the upload",
    "HEAD": "to tell the upload's offset",
    "PATCH": "to take bytes",
}


class _More(TypedDict, total=False):
    """What only some requests have."""

    body: Body
    delivered: Delivered
    answer_timeout: float


class Unsuccessful(Exception):
    """An answer that is no success; the text says it in words that follow "because".

    Attributes:
        then: What follows.
        retry_after: What the server asked to wait, in seconds; None if it did not.
    """

    def __init__(self, method: str, answer: Answer) -> None:
        self.method = method
        self.answer = answer
        self.then = after(method, answer.status)
        self.retry_after = retry_after(answer.headers, time.time())
        _, detail = read_problem(answer)
        told = f" ({detail.rstrip('.')})" if detail else ""
        super().__init__(f"the server answered {answer.status}{told}")

    def refused(self) -> Refused | NoTusServer:
        """The error for who uploads."""
        answer = self.answer
        if self.method in ("OPTIONS", "POST") and "tus-resumable" not in answer.headers:
            return NoTusServer(answer.status)
        problem, detail = read_problem(answer)
        return Refused(_ACTIONS[self.method], answer.status, problem, detail)


class WrongOffset(Unsuccessful):
    """Bytes were answered with success, and an offset that they cannot have led to."""

    def __init__(self, answer: Answer, sent: tuple[int, int], now: int) -> None:
        super().__init__("PATCH", answer)
        self.then = Then.AGAIN
        self._sent = sent
        self._now = now

    def __str__(self) -> str:
        first, end = self._sent
        told = f"the server answered bytes {first} to {end} with {self.answer.status}"
        return f"{told} and the offset {self._now}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a server says that it can do."""

    extensions: frozenset[str]
    algorithms: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A new upload.

    Attributes:
        url: Where it is.
        offset: Bytes that it has: those of an earlier creation whose answer was lost.
        expires: When it goes if it is not finished, in Unix time; None if nobody says.
    """

    url: str
    offset: int
    expires: float | None


class Endpoint:
    """Where uploads are created.

    Args:
        url: Of creation, with or without a grant in its path.
        token: A grant or another bearer token; goes to this server and to no other.
        headers: To send with every request.
        timeouts: Of requests.
        tls: How certificates are verified; None where nothing is encrypted.
        interfaces: Gives what is known of this machine's links.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        headers: Mapping[str, str],
        timeouts: Timeouts,
        tls: ssl.SSLContext | None,
        interfaces: "Callable[[], Snapshot]",
    ) -> None:
        self.url = url
        self._address = parse_url(url)
        secret = {"Authorization": f"Bearer {token}"} if token is not None else {}
        self._own_headers = {**headers, **secret}
        self._timeouts = timeouts
        self._tls = tls
        self._interfaces = interfaces

    async def connect(self, url: str) -> Connection:
        """Connect to where a URL leads.

        Raises:
            ConnectionLost: It did not come about.
        """
        return await Connection.open(parse_url(url), self._timeouts, self._tls, self._interfaces())

    def leads(self, connection: Connection, url: str) -> bool:
        """Whether a connection leads to where a URL does."""
        return connection.leads_to(parse_url(url))

    async def discover(self, connection: Connection) -> Offer:
        """Ask what the server offers.

        Raises:
            ConnectionLost, Unsuccessful: There is no answer, or a bad one.
            NoTusServer: It does not speak tus 1.0.0.
        """
        answer = await self._ask(
            connection, self.url, "OPTIONS", {}, answer_timeout=self._timeouts.stall
        )
        if VERSION not in _listed(answer, "tus-version"):
            raise NoTusServer(answer.status)
        return Offer(
            extensions=_listed(answer, "tus-extension"),
            algorithms=_listed(answer, "tus-checksum-algorithm"),
        )

    async def create(
        self, connection: Connection, headers: Mapping[str, str], length: int
    ) -> Created:
        """Create an upload of this length.

        Raises:
            ConnectionLost, Unsuccessful: There is no answer, or a bad one.
            NoTusServer: The answer has no URL, or an offset beyond the length.
            NotTrusted: The URL is without TLS, though the server was asked with it.
        """
        everything = {"Upload-Length": str(length), **headers}
        answer = await self._ask(connection, self.url, "POST", everything)
        created = self._created(answer)
        if created.offset > length:
            raise NoTusServer(answer.status)
        return created

    async def concatenate(
        self, connection: Connection, parts: Sequence[str], headers: Mapping[str, str]
    ) -> str:
        """Make one upload of partial ones and return its URL; as ``create`` otherwise."""
        everything = {**headers, "Upload-Concat": f"final;{' '.join(parts)}"}
        # Some servers copy all bytes before they answer.
        answer = await self._ask(
            connection, self.url, "POST", everything, answer_timeout=_TO_CONCATENATE
        )
        return self._created(answer).url

    def _created(self, answer: Answer) -> Created:
        try:
            url = resolved(answer.headers["location"], self.url)
            offset = parse_bytes(answer.headers, "Upload-Offset") or 0
        except (KeyError, ValueError, InvalidHeader):
            raise NoTusServer(answer.status) from None
        if self._address.scheme == "https" != parse_url(url).scheme:
            # The URL is a secret, and so may be the bytes.
            raise NotTrusted(
                "The server gave the upload a URL without TLS. If it stands behind a proxy, it has "
                "to be told so."
            )
        return Created(
            url=url, offset=offset, expires=read_date(answer.headers.get("upload-expires", ""))
        )

    async def inspect(self, connection: Connection, url: str, length: int) -> int:
        """The offset of an upload of this length.

        Raises:
            ConnectionLost: There is no answer.
            Unsuccessful: There is a bad one, or the upload is of another length.
        """
        answer = await self._ask(connection, url, "HEAD", {}, answer_timeout=self._timeouts.stall)
        try:
            offset = parse_bytes(answer.headers, "Upload-Offset")
            whole = parse_bytes(answer.headers, "Upload-Length")
        except InvalidHeader:
            offset = whole = None
        if offset is None or whole != length or offset > length:
            # Whatever is there, it is not what was created: as good as nothing.
            raise Unsuccessful("HEAD", Answer(_GONE, answer.headers, b""))
        return offset

    async def append(
        self,
        connection: Connection,
        url: str,
        offset: int,
        body: Body,
        *,
        checksum: Checksum | None,
        delivered: Delivered,
    ) -> int:
        """Append bytes and return the new offset.

        Raises:
            ConnectionLost, Unsuccessful: There is no answer, or a bad one.
            WrongOffset: No byte was taken, or more than were sent.
            NoTusServer: The answer has no offset.
            FileChanged, FileUnreadable: The bytes are not to be had.
        """
        headers = {"Content-Type": OFFSET_TYPE, "Upload-Offset": str(offset)}
        if checksum is not None:
            headers["Upload-Checksum"] = format_checksum(checksum)
        answer = await self._ask(connection, url, "PATCH", headers, body=body, delivered=delivered)
        try:
            now = parse_bytes(answer.headers, "Upload-Offset")
        except InvalidHeader:
            now = None
        if now is None:
            raise NoTusServer(answer.status)
        if not offset < now <= offset + body.length:
            raise WrongOffset(answer, (offset, offset + body.length), now)
        return now

    async def _ask(
        self,
        connection: Connection,
        url: str,
        method: str,
        headers: Mapping[str, str],
        **more: Unpack[_More],
    ) -> Answer:
        address = parse_url(url)
        own = self._own_headers if address.origin == self._address.origin else {}
        everything = {"Tus-Resumable": VERSION, **own, **headers}
        answer = await connection.exchange(
            Request(method=method, target=address.target, headers=everything, **more)
        )
        if answer.status >= _LOWEST_ERROR:
            raise Unsuccessful(method, answer)
        return answer


def _listed(answer: Answer, name: str) -> frozenset[str]:
    return frozenset(item.strip() for item in answer.headers.get(name, "").split(","))
