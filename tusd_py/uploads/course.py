"""What transfers show of the clients that make them."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tusd_py.network import Quality
from tusd_py.network.advice import LEAST
from tusd_py.network.clients import Observation
from tusd_py.network.quality import UNKNOWN, of_download, of_upload
from tusd_py.network.tcpinfo import TcpInfo
from tusd_py.protocol.upload import Upload
from tusd_py.streaming import Stop

from .engine import Engine
from .link import ClientLink, FindLink

# Fewer bytes say little about speed.
ENOUGH: Final = LEAST

# How a client's body ended: well, or badly. What others ended says nothing about the client.
_ENDS: Final[Mapping[Stop, bool]] = {
    Stop.END: True,
    Stop.CUT: False,
    Stop.IDLE: False,
    # By a rival, for which the client has lost this connection.
    Stop.REVOKED: False,
}


class Course:
    """Watches the body of one request from its begin to its end.

    Nothing is done about uploads that are too small to need advice, and where nobody remembers.

    Args:
        engine: The shared parts.
        link: Tells who sends it; None if that cannot be told.
        upload: What it is for.
        offset: Where it begins.
    """

    def __init__(self, engine: Engine, link: FindLink | None, upload: Upload, offset: int) -> None:
        small = upload.length is not None and upload.length <= LEAST
        self._engine = engine
        self._link = None if small or engine.clients is None or link is None else link()
        self._key = None if self._link is None else self._link.key
        self._offset = offset
        self._since = 0.0
        self._here = 0
        self.go_on(offset)

    def go_on(self, offset: int) -> None:
        """Bytes are waited for from now on."""
        if self._key is None or self._link is None:
            return
        self._offset = offset
        self._since = time.monotonic()
        # What has arrived already took none of the time that is measured.
        connection = self._link.connection
        self._here = connection.undelivered() if connection is not None else 0

    def pause(self, offset: int) -> None:
        """They have come as far as this, and are not waited for while they are made safe."""
        if self._key is not None and self._link is not None:
            quality = self._quality(self._link, offset)
            if quality != UNKNOWN:
                self._note(self._key, Observation(at=self._engine.now(), quality=quality))
                self._link.note(quality)

    def leave(self) -> None:
        """Whatever ends it now, the client has nothing to do with it: its link was lost."""
        self._key = None

    def end(self, stop: Stop, offset: int) -> None:
        """No more is waited for."""
        key, link, self._key = self._key, self._link, None
        whole = _ENDS.get(stop)
        if key is None or link is None or whole is None:
            return
        # A client that went silent did not become slow.
        quality = self._quality(link, offset) if whole else UNKNOWN
        interface = link.interface(self._engine.monitor)
        seen = Observation(
            at=self._engine.now(),
            quality=quality,
            whole=whole,
            interface=None if interface is None else (interface.name, interface.kind.value),
        )
        self._engine.meters.network.client(quality.latency, self._note(key, seen))
        link.note(quality)

    def _quality(self, link: ClientLink, offset: int) -> Quality:
        """Of the way that the bytes came which were waited for."""
        seconds = time.monotonic() - self._since
        size = offset - self._offset - self._here
        if not link.direct or size < ENOUGH or seconds <= 0:
            return UNKNOWN
        info = link.tcp_info()
        quality = UNKNOWN if info is None else of_upload(None, info, seconds)
        # While the client had nothing to send, the kernel took that for a long way.
        late = quality.latency is not None and quality.latency > seconds
        return replace(quality, rate=size / seconds, latency=None if late else quality.latency)

    def _note(self, key: str, seen: Observation) -> float | None:
        clients = self._engine.clients
        return None if clients is None else clients.note(key, seen).reliability


def note_download(engine: Engine, link: ClientLink, before: TcpInfo | None, sent: int) -> None:
    """Learn from a download that has ended, well or not: who plays a film leaves many.

    Args:
        engine: The shared parts.
        link: Who read it.
        before: What the kernel knew when it began.
        sent: How many bytes went out.
    """
    if engine.clients is None or sent < ENOUGH:
        return
    info, key = link.tcp_info(), link.key
    if info is None or key is None:
        return
    quality = of_download(before, info)
    engine.clients.note(key, Observation(at=engine.now(), quality=quality, download=True))
    engine.meters.network.client(quality.latency, None)
    link.note(quality)
