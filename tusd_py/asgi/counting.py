"""Counting the bytes of downloads, whichever way they go."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from tusd_py.metrics import Meters

from .answer import Answer, Send
from .exchange import Exchange


@contextmanager
def counted(meters: Meters, exchange: Exchange, answer: Answer, send: Send) -> Iterator[Send]:
    """Count a download while it is sent; gives what to send it with."""
    if exchange.connection is not None:
        # It tells of a file's bytes while they flow. Other servers are believed to send all.
        exchange.connection.on_sent(meters.sent.add)
    part = answer.part if exchange.connection is None else None

    async def counting(message: MutableMapping[str, Any]) -> None:
        await send(message)
        if message["type"] == "http.response.body":
            meters.sent.add(len(message.get("body", b"")))
        elif message["type"] != "http.response.start" and part is not None:
            meters.sent.add(part.count)

    meters.downloads.add(1)
    try:
        yield counting
    finally:
        meters.downloads.add(-1)
