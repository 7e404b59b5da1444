"""Clients that upload to a server which is killed under them, and know what it may have lost."""

from __future__ import annotations

import base64
import hashlib
import random
import threading
import time
from typing import Protocol

from tests.support.live import Cut, WireResponse, connected, head

_TYPE = "application/offset+octet-stream"
_SMALL = 64 * 1024
_LARGE = 600 * 1024
# Bodies come in pieces with pauses, so that a kill meets them half way.
_PIECE = 32 * 1024
_PAUSE = 0.002
_COMPOSING = 10.0


class Sending(Protocol):
    """Something that is being uploaded."""

    @property
    def done(self) -> bool:
        """It was acknowledged to be finished."""
        ...

    def advance(self, port: int) -> None:
        """Send one more request.

        Raises:
            ConnectionError: The server was killed.
        """
        ...

    def check(self, port: int) -> None:
        """After a restart: nothing acknowledged was lost, and nothing came that was not sent."""
        ...

    def finished(self) -> list[tuple[str, bytes]]:
        """The path and the bytes of what is to be found when it is done."""
        ...


def request(port: int, method: str, path: str, **headers: str) -> WireResponse:
    """Make a request on a connection of its own; no answer is a server's fault.

    Raises:
        ConnectionError: The server was killed.
    """
    with connected(port) as wire:
        answer = wire.request(method, path, b"", **headers)
    assert answer.status < 500, f"{method} {path}: {answer.status} {answer.body!r}"
    return answer


def path_of(answer: WireResponse) -> str:
    """The path of the upload that was created."""
    assert answer.status == 201, f"{answer.status} {answer.body!r}"
    return "/" + answer.headers["location"].split("/", 3)[3]


class Upload:
    """One upload, sent in chunks, each with a checksum or not.

    Args:
        chance: Where its size, its bytes and its chunks come from.
        first: Send the first bytes with the creation.
        checked: Send a checksum with each chunk.
        partial: It is a part of another.
        small: It is so small that it comes whole with its creation.
    """

    def __init__(
        self,
        chance: random.Random,
        *,
        first: bool = False,
        checked: bool = False,
        partial: bool = False,
        small: bool = False,
    ) -> None:
        self.data = chance.randbytes(chance.randint(1, _SMALL if small else _LARGE))
        self.path: str | None = None
        self.acknowledged = 0
        self._chance = chance
        self._first = first or small
        self._checked = checked
        self._small = small
        self._concat = {"upload_concat": "partial"} if partial else {}
        self._sent = 0
        # The only offsets that a checksum leaves, if there was one.
        self._whole: set[int] | None = None

    @property
    def done(self) -> bool:
        return self.path is not None and self.acknowledged == len(self.data)

    def finished(self) -> list[tuple[str, bytes]]:
        return [] if self.path is None else [(self.path, self.data)]

    def advance(self, port: int) -> None:
        if self.path is None:
            self._create(port)
        else:
            self._append(port, self.path)

    def check(self, port: int) -> None:
        if self.path is None:
            return
        answer = request(port, "HEAD", self.path)
        offset = int(answer.headers["upload-offset"])
        assert answer.status == 200
        assert self.acknowledged <= offset <= self._sent, (
            f"{self.path}: {self.acknowledged} acknowledged, {self._sent} sent, found {offset}"
        )
        if self._whole is not None:
            assert offset in self._whole, f"{self.path}: {offset} is not one of {self._whole}"
        self.acknowledged = self._sent = offset
        self._whole = None

    def _create(self, port: int) -> None:
        length = {"upload_length": str(len(self.data)), **self._concat}
        if not self._first:
            self.path = path_of(request(port, "POST", "/files/", **length))
            return
        size = len(self.data) if self._small else self._chance.randint(1, len(self.data))
        answer = self._send(port, "POST", "/files/", self.data[:size], length)
        self.path = path_of(answer)
        self._acknowledge(answer)

    def _append(self, port: int, path: str) -> None:
        left = len(self.data) - self.acknowledged
        size = self._chance.choice([left, self._chance.randint(1, left)])
        chunk = self.data[self.acknowledged :][:size]
        headers = {"upload_offset": str(self.acknowledged)}
        if self._checked:
            digest = base64.b64encode(hashlib.sha256(chunk).digest()).decode()
            headers["upload_checksum"] = f"sha256 {digest}"
            self._whole = {self.acknowledged}
        answer = self._send(port, "PATCH", path, chunk, headers)
        assert answer.status == 204, f"{path}: {answer.status} {answer.body!r}"
        self._acknowledge(answer)

    def _send(
        self, port: int, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> WireResponse:
        began = self.acknowledged
        framing = {"content_type": _TYPE, "content_length": str(len(body))}
        with connected(port) as wire:
            wire.send(head(method, path, **framing, **headers))
            for start in range(0, len(body), _PIECE):
                self._sent = began + min(start + _PIECE, len(body))
                if self._whole is not None and self._sent == began + len(body):
                    self._whole.add(self._sent)
                wire.send(body[start : start + _PIECE])
                time.sleep(self._chance.random() * _PAUSE)
            answer = wire.response()
        assert answer.status < 500, f"{method} {path}: {answer.status} {answer.body!r}"
        return answer

    def _acknowledge(self, answer: WireResponse) -> None:
        self.acknowledged = int(answer.headers["upload-offset"])
        assert self.acknowledged == self._sent
        self._whole = None


class Joined:
    """Partial uploads and the final one, which is asked for before or after they are finished."""

    def __init__(self, chance: random.Random) -> None:
        self.parts = [
            Upload(chance, partial=True, first=chance.random() < 0.5)
            for _ in range(chance.randint(1, 3))
        ]
        self._chance = chance
        self._early = chance.random() < 0.5
        self._path: str | None = None
        self.done = False

    def finished(self) -> list[tuple[str, bytes]]:
        assert self._path is not None
        return [(self._path, b"".join(part.data for part in self.parts))]

    def advance(self, port: int) -> None:
        sendable = [part for part in self.parts if part.path is None]
        unfinished = [part for part in self.parts if not part.done]
        if sendable:
            sendable[0].advance(port)
        elif self._path is None and (self._early or not unfinished):
            self._path = self._join(port)
        elif unfinished:
            self._chance.choice(unfinished).advance(port)
        else:
            self._wait(port)

    def check(self, port: int) -> None:
        for part in self.parts:
            part.check(port)
        if self._path is not None:
            assert request(port, "HEAD", self._path).status == 200

    def _join(self, port: int) -> str:
        urls = " ".join(part.path or "" for part in self.parts)
        return path_of(request(port, "POST", "/files/", upload_concat=f"final;{urls}"))

    def _wait(self, port: int) -> None:
        length = sum(len(part.data) for part in self.parts)
        deadline = time.monotonic() + _COMPOSING
        while True:
            answer = request(port, "HEAD", self._path or "")
            if answer.headers.get("upload-offset") == str(length):
                self.done = True
                return
            assert time.monotonic() < deadline, f"{self._path} is not composed"
            time.sleep(0.01)


class Client:
    """Uploads one thing after another, of every sort, and remembers what must be there.

    Args:
        chance: Decides which sort comes next.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._current: Sending = self._next()
        self._found = 0
        self.finished: list[tuple[str, str]] = []

    def run(self, port: int, over: threading.Event) -> set[int]:
        """Upload until all is over, by the end of the server or not; returns what was cut before.

        That are the ports of this side of connections to workers that were killed. What they were
        busy with is checked, and goes on.
        """
        cut: set[int] = set()
        while True:
            try:
                self._upload(port, over)
            except ConnectionError as error:
                self._give_up_what_is_lost()
                if over.is_set():
                    return cut
                if not isinstance(error, Cut):
                    raise
                cut.add(error.port)
            else:
                return cut

    def check(self, port: int) -> None:
        """After a restart: what is under way and what was finished since the last time."""
        self._current.check(port)
        self.check_finished(port, since=self._found)
        self._found = len(self.finished)

    def check_finished(self, port: int, *, since: int = 0) -> None:
        """Every finished file has its SHA-256."""
        for path, digest in self.finished[since:]:
            answer = request(port, "GET", path)
            assert answer.status == 200, f"{path}: {answer.status}"
            assert hashlib.sha256(answer.body).hexdigest() == digest, path

    def finish(self, port: int) -> None:
        """Bring what is under way to its end, on a server that lives."""
        while not self._current.done:
            self._current.advance(port)
        self._note(self._current)

    def _upload(self, port: int, over: threading.Event) -> None:
        self._current.check(port)
        while not over.is_set():
            self.finish(port)
            self._current = self._next()

    def _give_up_what_is_lost(self) -> None:
        # A creation that was not answered has made an upload that nobody will come back to.
        if isinstance(self._current, Upload) and self._current.path is None:
            self._current = self._next()

    def _note(self, sending: Sending) -> None:
        self.finished += [
            (path, hashlib.sha256(data).hexdigest()) for path, data in sending.finished()
        ]

    def _next(self) -> Sending:
        kind = self._chance.choice(["small", "small", "plain", "first", "checked", "joined"])
        if kind == "joined":
            return Joined(self._chance)
        return Upload(
            self._chance,
            small=kind == "small",
            first=kind == "first",
            checked=kind == "checked",
        )
