"""Counting the bytes of downloads, whichever way they go."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from tusd_py.metrics import Meters
from tusd_py.uploads.course import ENOUGH, note_download
from tusd_py.uploads.engine import Engine

from .answer import Answer, Send
from .exchange import Exchange


@contextmanager
def counted(
    meters: Meters, engine: Engine | None, exchange: Exchange, answer: Answer, send: Send
) -> Iterator[Send]:
    """Count a download while it is sent, and learn of its client; gives what to send it with."""
    total = 0

    def sent(size: int) -> None:
        nonlocal total
        total += size
        meters.sent.add(size)

    if exchange.connection is not None:
        # It tells of a file's bytes while they flow. Other servers are believed to send all.
        exchange.connection.on_sent(sent)
    size = int(answer.headers.get("Content-Length", "0"))
    watched = engine is not None and engine.clients is not None and size >= ENOUGH
    before = exchange.link().tcp_info() if watched else None
    part = answer.part if exchange.connection is None else None

    async def counting(message: MutableMapping[str, Any]) -> None:
        await send(message)
        if message["type"] == "http.response.body":
            sent(len(message.get("body", b"")))
        elif message["type"] != "http.response.start" and part is not None:
            sent(part.count)

    meters.downloads.add(1)
    try:
        yield counting
    finally:
        meters.downloads.add(-1)
        if engine is not None and watched:
            note_download(engine, exchange.link(), before, total)
