"""Clients that know what they sent and what they were told, whatever happens to the server."""

from __future__ import annotations

import random
import threading
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha1

from tests.support.live import Wire, WireResponse

TYPE = "application/offset+octet-stream"
LARGEST = 400_000


class Unanswered(Exception):
    """The server is gone, or says that it has a problem."""


@dataclass
class Sent:
    """One upload: what was sent of it, and what its client was told.

    Attributes:
        data: All of it.
        partial: It is a part of another one.
        path: Its URL's path, once told.
        told: The last offset that the server acknowledged.
        tried: The end of what was sent.
        whole: What was sent last counts as a whole or not at all.
        finished: The server acknowledged the end.
        given_up: It was terminated; True once acknowledged.
    """

    data: bytes
    partial: bool = False
    path: str | None = None
    told: int = 0
    tried: int = 0
    whole: bool = False
    finished: bool = False
    given_up: bool | None = None

    def acknowledge(self, offset: int) -> None:
        """Take the server's word for an offset."""
        assert offset == self.tried, f"{offset} was acknowledged, {self.tried} was sent"
        self.told = offset
        self.finished = offset == len(self.data)


@dataclass
class Client:
    """One client that uploads until the server is gone.

    Args:
        port: Where the server listens.
        chance: Decides what it does.
        sent: What it has done so far.
    """

    port: int
    chance: random.Random
    sent: list[Sent] = field(default_factory=list)

    def run(self) -> None:
        """Go on with what is unfinished, and then do more and more."""
        try:
            with Wire(self.port) as wire:
                for upload in [upload for upload in self.sent if not upload.finished]:
                    self._send(wire, upload)
                while True:
                    self.chance.choice(self._ways())(wire)
        except (OSError, Unanswered):
            return

    def _ways(self) -> Sequence[Callable[[Wire], None]]:
        return [self._upload, self._upload, self._concatenate, self._give_up]

    def _new(self, *, partial: bool = False) -> Sent:
        size = int(2 ** self.chance.uniform(0, LARGEST.bit_length() - 1))
        upload = Sent(self.chance.randbytes(size), partial=partial)
        self.sent.append(upload)
        return upload

    def _upload(self, wire: Wire) -> None:
        upload = self._new()
        self._create(wire, upload)
        self._send(wire, upload)

    def _concatenate(self, wire: Wire) -> None:
        parts = [self._new(partial=True) for _ in range(2)]
        for part in parts:
            self._create(wire, part)
            self._send(wire, part)
        final = Sent(b"".join(part.data for part in parts))
        final.tried = len(final.data)
        paths = " ".join(str(part.path) for part in parts)
        answer = _expect(wire.request("POST", "/files/", upload_concat=f"final;{paths}"), 201)
        final.path = path_of(answer)
        final.acknowledge(len(final.data))
        self.sent.append(final)

    def _give_up(self, wire: Wire) -> None:
        upload = self._new()
        self._create(wire, upload)
        upload.given_up = False
        _expect(wire.request("DELETE", str(upload.path)), 204)
        upload.given_up = True

    def _create(self, wire: Wire, upload: Sent) -> None:
        first = upload.data[: self.chance.choice((0, 1000, len(upload.data)))]
        headers = {"upload_length": str(len(upload.data))}
        if upload.partial:
            headers["upload_concat"] = "partial"
        if first:
            headers["content_type"] = TYPE
            upload.tried = len(first)
        answer = _expect(wire.request("POST", "/files/", first, **headers), 201)
        upload.path = path_of(answer)
        upload.acknowledge(int(answer.headers["upload-offset"]))

    def _send(self, wire: Wire, upload: Sent) -> None:
        while upload.path is not None and upload.given_up is None and not upload.finished:
            step = self.chance.choice((1, 50_000, len(upload.data)))
            body = upload.data[upload.told : upload.told + step]
            headers = {"upload_offset": str(upload.told), "content_type": TYPE}
            upload.whole = self.chance.random() < 0.3
            if upload.whole:
                headers["upload_checksum"] = f"sha1 {b64encode(sha1(body).digest()).decode()}"  # noqa: S324
            upload.tried = upload.told + len(body)
            answer = _expect(wire.request("PATCH", upload.path, body, **headers), 204)
            upload.acknowledge(int(answer.headers["upload-offset"]))


def run_together(clients: Sequence[Client]) -> list[threading.Thread]:
    """Start the clients; each thread ends when the server is gone."""
    threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    return threads


def check(wire: Wire, upload: Sent) -> None:
    """Fail if anything that this client was told is not so any more."""
    if upload.path is None:
        return
    answer = wire.request("HEAD", upload.path)
    if upload.given_up is not None:
        gone = (404,) if upload.given_up else (404, 200)
        assert answer.status in gone, f"HEAD of a terminated upload: {answer.status}"
        return
    assert answer.status == 200, f"HEAD after {upload.told} bytes were safe: {answer.status}"
    offset = int(answer.headers["upload-offset"])
    assert upload.told <= offset <= upload.tried, f"{upload.told} <= {offset} <= {upload.tried}"
    if upload.whole:
        assert offset in (upload.told, upload.tried), f"{offset} is half of what had a checksum"
    upload.told = upload.tried = offset
    upload.finished = offset == len(upload.data)
    if upload.finished:
        assert stored(wire, upload.path) == upload.data, "a finished upload has other bytes"


def stored(wire: Wire, path: str) -> bytes:
    """The bytes of a finished upload."""
    try:
        answer = wire.request("GET", path)
    except ConnectionError:
        raise AssertionError("a finished upload has fewer bytes") from None
    assert answer.status == 200, f"GET of a finished upload: {answer.status}"
    return answer.body


def _expect(answer: WireResponse, status: int) -> WireResponse:
    if answer.status != status:
        raise Unanswered(answer.status)
    return answer


def path_of(answer: WireResponse) -> str:
    """The path of the URL of a new upload."""
    return "/" + answer.headers["location"].split("/", 3)[3]
